// Whole epochs: batch after batch, each one run of all parts.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "core/execute.h"

namespace thalweg {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

template <class Number>
Number load(const std::byte* from) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  return number;
}

double load_number(Dtype dtype, const std::byte* from) {
  switch (dtype) {
    case Dtype::float32: return load<float>(from);
    case Dtype::float64: return load<double>(from);
    case Dtype::int32: return load<std::int32_t>(from);
    case Dtype::uint32: return load<std::uint32_t>(from);
    default: return load<std::uint8_t>(from);
  }
}

template <class Number>
void store(std::byte* to, Number number) {
  std::memcpy(to, &number, sizeof number);
}

void store_real(Dtype dtype, std::byte* to, double number) {
  if (dtype == Dtype::float32)
    store(to, static_cast<float>(number));
  else
    store(to, number);
}

}  // namespace

Progress Program::train(const Course& course, const Threads& threads, const Poll& poll) {
  const auto start = Clock::now();
  check_bound();
  check_apart();
  check_course(course);
  set_moves(course.order != nullptr);
  Team team(threads.most);
  Watch watch(poll);
  Progress progress{0, 0, End::done};
  Index prepared = -1;
  ThreadChoice* choice = nullptr;
  while (progress.batches < course.batches && progress.end == End::done) {
    const Index first = (course.first_batch + progress.batches) * course.batch_size;
    const Batch batch{first, std::min(course.batch_size, course.rows - first),
                      course.order};
    if (batch.rows != prepared) {
      prepare(batch, team.size());
      choice = threads.adapts ? choose(batch, team.size()) : nullptr;
    }
    prepared = batch.rows;
    if (threads.adapts) team.use(choice ? choice->threads() : 1);
    write_step(course, progress.batches);
    if (!run_batch(batch, team, watch)) {
      progress.end = End::interrupted;
      break;
    }
    const bool is_finite = log_step(course, progress.batches++);
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
  if (course.batch_size < 1) throw std::invalid_argument("batch_size must be at least 1");
  if (course.rows < 0 || course.first_batch < 0 || course.batches < 0)
    throw std::invalid_argument("rows and batches must not be negative");
  const Index most = (course.rows + course.batch_size - 1) / course.batch_size;
  if (course.first_batch > most || course.batches > most - course.first_batch)
    throw std::invalid_argument(
        "an epoch has " + std::to_string(most) + " batches, but they should end at " +
        std::to_string(course.first_batch) + " + " + std::to_string(course.batches));
  if (!course.order) check_rows(course.rows);
  check_one_block(
      std::min(course.batch_size, course.rows - course.first_batch * course.batch_size));
  const auto is_single = [&](std::size_t buffer) {
    return !buffers_[buffer].has_rows && buffers_[buffer].extents.empty();
  };
  Index width = 0;
  for (const std::size_t logged : course.logged) {
    if (buffers_[logged].has_rows)
      throw std::invalid_argument("what is logged must not have rows");
    width += buffers_[logged].bytes / item_size(buffers_[logged].dtype);
  }
  if (width != course.log_width)
    throw std::invalid_argument("log must have a column for each number that is logged");
  const std::size_t rate = course.learning_rate, step = course.step;
  if (rate != NO_NAME && (!is_single(rate) || (buffers_[rate].dtype != Dtype::float32 &&
                                               buffers_[rate].dtype != Dtype::float64)))
    throw std::invalid_argument("the learning rate must be a single real number");
  if (step != NO_NAME && (!is_single(step) || buffers_[step].dtype != Dtype::int32))
    throw std::invalid_argument("the step must be a single int32");
}

void Program::write_step(const Course& course, Index batch) {
  if (course.learning_rate != NO_NAME)
    store_real(buffers_[course.learning_rate].dtype, bindings_[course.learning_rate].data,
               course.learning_rates[batch]);
  if (course.step != NO_NAME)
    store(bindings_[course.step].data,
          static_cast<std::int32_t>(course.first_step + batch));
}

// Whether what was logged first is finite.
bool Program::log_step(const Course& course, Index batch) const {
  double* const line = course.log + batch * course.log_width;
  double* next = line;
  for (const std::size_t logged : course.logged) {
    const Named& buffer = buffers_[logged];
    const Index item = item_size(buffer.dtype);
    for (Index at = 0; at < buffer.bytes; at += item)
      *next++ = load_number(buffer.dtype, bindings_[logged].data + at);
  }
  return next == line || std::isfinite(line[0]);
}

// --- how long each step takes ----------------------------------------------------------

std::vector<Timing> Program::profile(Index rows, int threads, Index repeats) {
  std::vector<Timing> timings;
  const bool in_shards = block_ && rows > 0 && count_shards(rows) > 1;
  timings_ = &timings;
  try {
    for (Index i = 0; i < repeats; ++i)
      run(rows, {in_shards ? 1 : threads, false}, nullptr);
  } catch (...) {
    timings_ = nullptr;
    throw;
  }
  timings_ = nullptr;
  return timings;
}

// Like run_tasks, but with a look at the clock around every task.
void Program::time_tasks(const Part& part, const Ready& ready, const Frame& frame,
                         std::byte* scratch, Team* team) {
  for (const auto& task : ready.tasks) {
    const auto start = Clock::now();
    run_task(*task, frame, scratch, team);
    const double seconds = seconds_since(start);
    auto timing =
        std::find_if(timings_->begin(), timings_->end(), [&](const Timing& other) {
          return other.part == part.name && other.step == task->step;
        });
    if (timing == timings_->end())
      timing = timings_->insert(timing, {part.name, task->step, 0, 0});
    timing->seconds += seconds;
    ++timing->calls;
  }
}

}  // namespace thalweg
