// A part of an epoch: batch after batch, each one run of all parts.
#include <algorithm>
#include <chrono>

#include "core/program.h"

namespace thalweg {

namespace {

double seconds_since(Watch::Clock::time_point start) {
  return std::chrono::duration<double>(Watch::Clock::now() - start).count();
}

}  // namespace

Progress Program::train(const Course& course, const Threads& threads, const Poll& poll) {
  const auto start = Watch::Clock::now();
  check_bound();
  check_course(course);
  set_moves(course.order != nullptr);
  Team team(threads.most);
  Watch watch(poll);
  Progress progress{0, 0, End::done};
  Index prepared = -1;
  ThreadChoice* choice = nullptr;
  while (progress.batches < course.batches && progress.end == End::done) {
    const Batch batch = course.batch(progress.batches);
    if (batch.rows != prepared) {
      prepare(batch, team.size());
      choice = threads.adapts ? choose(batch, team.size()) : nullptr;
    }
    prepared = batch.rows;
    if (threads.adapts) team.use(choice ? choice->threads() : 1);
    course.write(buffers_, progress.batches);
    if (!run_batch(batch, team, watch)) {
      progress.end = End::interrupted;
      break;
    }
    const bool is_finite = course.log_batch(buffers_, progress.batches++);
    const double before = progress.seconds;
    progress.seconds = seconds_since(start);
    if (choice) choice->took((progress.seconds - before) * 1e9);
    if (!is_finite)
      progress.end = End::not_finite;
    else if (progress.seconds >= course.seconds && progress.batches < course.batches)
      progress.end = End::time;
  }
  progress.seconds = seconds_since(start);
  return progress;
}

void Program::check_course(const Course& course) const {
  course.check_batches();
  if (!course.order) check_rows(course.rows);
  if (blocks_) blocks_->check_one_block(course.batch(0).rows);
  course.check_buffers(buffers_);
}

}  // namespace thalweg
