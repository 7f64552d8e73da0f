#include "core/part.h"

#include <algorithm>

#include "core/places.h"

namespace thalweg {

namespace {

constexpr std::size_t KEPT_READY = 8;  // numbers of rows whose tasks are kept

bool sees_rows_as_parts(const Plan& plan, const Place& place) {
  return place.rows_axis >= 0 && place.extents[place.rows_axis] != plan.rows;
}

}  // namespace

Part::Part(const char* name, Source source, const Kernels& kernels, Buffers& buffers)
    : name_(name),
      kernels_(kernels),
      plan_(std::move(source.plan)),
      constants_(std::move(source.constants)),
      named_(plan_.buffers.size(), NO_NAME),
      bases_(plan_.buffers.size()),
      moves_(plan_.buffers.size()) {
  name_buffers(source.names, buffers);
  look_at_rows(buffers);
}

void Part::name_buffers(const std::vector<std::string>& names, Buffers& buffers) {
  if (names.size() + 1 != plan_.buffers.size())
    throw PlanError(std::string(name_) + " has " +
                    std::to_string(plan_.buffers.size() - 1) + " buffers, but " +
                    std::to_string(names.size()) + " names");
  for (std::size_t i = 1; i < plan_.buffers.size(); ++i) {
    const Buffer& buffer = plan_.buffers[i];
    if (buffer.kind == BufferKind::moving) continue;
    if (buffer.kind == BufferKind::constant)
      bases_[i] = constants_.data() + buffer.offset;
    else
      named_[i] = add_own(buffers, buffer, names[i - 1]);
    if (buffer.kind == BufferKind::rows) moves_[i] = buffer.bytes / plan_.rows;
  }
}

// A buffer that no other of this plan shares.
std::size_t Part::add_own(Buffers& buffers, const Buffer& buffer,
                          const std::string& name) const {
  const std::size_t number = buffers.add(plan_, buffer, name);
  if (std::find(named_.begin(), named_.end(), number) != named_.end())
    throw PlanError(std::string(name_) + " has two buffers named " + name);
  return number;
}

void Part::look_at_rows(Buffers& buffers) {
  const auto look = [&](const Place& place) {
    const std::size_t number = named(place);
    if (number == NO_NAME) return;
    const bool sees_all = buffers[number].has_rows && place.rows_axis < 0;
    if (sees_all || sees_rows_as_parts(plan_, place)) buffers.keep_dense(number);
    if (sees_all) needs_all_rows_ = true;
  };
  for (const Step& step : plan_.steps) visit_inputs(step, look), visit_outputs(step, look);
}

void Part::point(const Buffers& buffers, std::byte* arena) {
  bases_[0] = arena;
  for (std::size_t i = 1; i < bases_.size(); ++i)
    if (named_[i] != NO_NAME) bases_[i] = buffers.binding(named_[i]).data;
}

void Part::keep_from(int step) { first_keeping_ = std::min(first_keeping_, step); }

void Part::set_move(std::size_t buffer, Index bytes) {
  if (moves_[buffer] != bytes) ready_.clear();
  moves_[buffer] = bytes;
}

Ready& Part::ready(Index rows) {
  for (const auto& made : ready_)
    if (made->rows == rows) return *made;
  auto fresh = std::make_unique<Ready>();
  fresh->rows = rows;
  try {
    fresh->tasks = make_tasks({kernels_, plan_, rows, moves_}, plan_.steps);
  } catch (const PlanError& error) {
    throw PlanError(std::string(name_) + ": " + error.what());
  }
  fresh->scratch_bytes = 0;
  fresh->work = 0;
  for (const auto& task : fresh->tasks) {
    fresh->scratch_bytes = std::max(fresh->scratch_bytes, task->scratch_bytes);
    fresh->work += task->work;
  }
  if (ready_.size() >= KEPT_READY) ready_.erase(ready_.begin());
  ready_.push_back(std::move(fresh));
  return *ready_.back();
}

}  // namespace thalweg
