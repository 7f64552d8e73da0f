// Making programs: names, memory, tasks. Nothing here runs a step.
#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "core/execute.h"

namespace thalweg {

namespace {

constexpr Index MOST_SHARDS = 1 << 16;
constexpr std::size_t KEPT_READY = 8;  // numbers of rows whose tasks are kept

bool sees_rows_as_parts(const Plan& plan, const Place& place) {
  return place.rows_axis >= 0 && place.extents[place.rows_axis] != plan.rows;
}

// The addresses from the first to behind the last byte of a binding.
struct Span {
  std::uintptr_t first, end;
};

Span span_of(const Named& buffer, const Binding& binding) {
  const auto at = reinterpret_cast<std::uintptr_t>(binding.data);
  const auto bytes = static_cast<std::uintptr_t>(buffer.bytes);
  if (!buffer.has_rows) return {at, at + bytes};
  if (binding.rows == 0) return {at, at};
  const auto last = at + static_cast<std::uintptr_t>((binding.rows - 1) * binding.move);
  return {std::min(at, last), std::max(at, last) + bytes};
}

bool overlap(const Span& a, const Span& b) {
  return std::max(a.first, b.first) < std::min(a.end, b.end);
}

template <class Visit>
void visit_inputs(const Step& step, const Visit& visit) {
  struct Places {
    const Visit& visit;
    void operator()(const MapStep& map) const {
      for (const Place& place : map.inputs) visit(place);
    }
    void operator()(const ProductStep& product) const {
      visit(product.a), visit(product.b);
      if (product.bias) visit(*product.bias);
    }
    void operator()(const ReduceStep& reduce) const { visit(reduce.in); }
    void operator()(const CopyStep& copy) const { visit(copy.in); }
    void operator()(const ZeroStep&) const {}
    void operator()(const IndexStep& step) const { visit(step.in), visit(step.indices); }
    void operator()(const LoopStep& loop) const {
      visit(loop.turns);
      for (const Step& each : loop.body->steps) visit_inputs(each, visit);
    }
    void operator()(const RandomBitsStep& bits) const {
      visit(bits.seed), visit(bits.step);
    }
  };
  std::visit(Places{visit}, step);
}

template <class Visit>
void visit_outputs(const Step& step, const Visit& visit) {
  const auto each = [&](const auto& any) {
    using Any = std::remove_cvref_t<decltype(any)>;
    if constexpr (std::is_same_v<Any, MapStep>)
      for (const MapOutput& output : any.outputs) visit(output.place);
    else if constexpr (std::is_same_v<Any, LoopStep>)
      for (const Step& each : any.body->steps) visit_outputs(each, visit);
    else
      visit(any.out);
  };
  std::visit(each, step);
}

bool is_tail(const Step& step) {
  const auto* const map = std::get_if<MapStep>(&step);
  return map && map->tail;
}

}  // namespace

Program::Program(std::optional<Source> before, std::optional<Source> block,
                 std::optional<Source> after, Index shards, const Kernels& kernels)
    : kernels_(kernels), shards_(shards) {
  if (shards < 1 || shards > MOST_SHARDS)
    throw std::invalid_argument("shards must be 1 to 65536");
  add_part(before_, std::move(before), "before");
  add_part(block_, std::move(block), "block");
  add_part(after_, std::move(after), "after");
  for (const Part* part : {before_.get(), after_.get()})
    if (part && part->plan.rows)
      throw PlanError(std::string("only the block's plan has rows, not that of ") +
                      part->name);
  if (block_) lay_out_block();
  find_keeping();
  bindings_.resize(buffers_.size());
  workers_.resize(1);
  // A plan without a kernel for one of its operations is refused here.
  for (Part* const part : {before_.get(), block_.get(), after_.get()})
    if (part) ready(*part, part->plan.rows);
}

void Program::add_part(std::unique_ptr<Part>& part, std::optional<Source> source,
                       const char* name) {
  if (!source) return;
  Plan& plan = source->plan;
  if (source->names.size() + 1 != plan.buffers.size())
    throw PlanError(std::string(name) + " has " + std::to_string(plan.buffers.size() - 1) +
                    " buffers, but " + std::to_string(source->names.size()) + " names");
  part = std::make_unique<Part>();
  part->name = name;
  part->named.assign(plan.buffers.size(), NO_NAME);
  part->bases.resize(plan.buffers.size());
  part->moves.resize(plan.buffers.size());
  part->constants = std::move(source->constants);
  for (std::size_t i = 1; i < plan.buffers.size(); ++i) {
    const Buffer& buffer = plan.buffers[i];
    if (buffer.kind == BufferKind::moving) continue;
    if (buffer.kind == BufferKind::constant)
      part->bases[i] = part->constants.data() + buffer.offset;
    else
      part->named[i] = add_own_buffer(*part, plan, buffer, source->names[i - 1]);
    if (buffer.kind == BufferKind::rows) part->moves[i] = buffer.bytes / plan.rows;
  }
  const auto look = [&](const Place& place) {
    const std::size_t named = part->named[static_cast<std::size_t>(place.origin)];
    if (named == NO_NAME) return;
    const bool sees_all = buffers_[named].has_rows && place.rows_axis < 0;
    if (sees_all || sees_rows_as_parts(plan, place)) buffers_[named].dense = true;
    if (sees_all) part->needs_all_rows = true;
  };
  for (const Step& step : plan.steps) visit_inputs(step, look), visit_outputs(step, look);
  part->plan = std::move(plan);
}

// A buffer that no other of its plan shares.
std::size_t Program::add_own_buffer(const Part& part, const Plan& plan,
                                    const Buffer& buffer, const std::string& name) {
  const std::size_t number = add_buffer(plan, buffer, name);
  if (std::find(part.named.begin(), part.named.end(), number) != part.named.end())
    throw PlanError(std::string(part.name) + " has two buffers named " + name);
  return number;
}

std::size_t Program::add_buffer(const Plan& plan, const Buffer& buffer,
                                const std::string& name) {
  const bool has_rows = buffer.kind == BufferKind::rows;
  const auto start = buffer.extents.begin();
  Named fresh{name,
              buffer.dtype,
              has_rows,
              {start + has_rows, start + buffer.rank},
              has_rows ? buffer.bytes / plan.rows : buffer.bytes};
  std::size_t found = find(name);
  if (found == NO_NAME) {
    found = buffers_.size();
    buffers_.push_back(fresh);
  }
  Named& known = buffers_[found];
  if (known.dtype != fresh.dtype || known.has_rows != has_rows ||
      known.extents != fresh.extents)
    throw PlanError("two plans differ about the buffer " + name);
  known.written |= buffer.written;
  return found;
}

std::size_t Program::find(const std::string& name) const {
  for (std::size_t i = 0; i < buffers_.size(); ++i)
    if (buffers_[i].name == name) return i;
  return NO_NAME;
}

// What a run reads before it writes it is what the last run left.
void Program::find_keeping() {
  std::vector<bool> written(buffers_.size(), false), kept(buffers_.size(), false);
  for (Part* const part : {before_.get(), block_.get(), after_.get()}) {
    const int steps = part ? static_cast<int>(part->plan.steps.size()) : 0;
    for (int i = 0; i < steps; ++i) {
      const Step& step = part->plan.steps[static_cast<std::size_t>(i)];
      const auto named = [&](const Place& place) {
        return part->named[static_cast<std::size_t>(place.origin)];
      };
      visit_inputs(step, [&](const Place& place) {
        if (named(place) != NO_NAME && !written[named(place)]) kept[named(place)] = true;
      });
      visit_outputs(step, [&](const Place& place) {
        if (named(place) == NO_NAME) return;
        written[named(place)] = true;
        if (kept[named(place)])
          part->first_keeping = std::min(part->first_keeping, i - is_tail(step));
      });
    }
  }
}

// Where each worker gathers rows, and each shard adds up.
void Program::lay_out_block() {
  const std::vector<Buffer>& all = block_->plan.buffers;
  total_at_.resize(all.size());
  for (std::size_t i = 1; i < all.size(); ++i) {
    const auto bytes = aligned(static_cast<std::size_t>(all[i].bytes));
    if (all[i].kind == BufferKind::rows) {
      rows_buffers_.push_back(i);
      staging_at_.push_back(staging_bytes_);
      staging_bytes_ += bytes;
    } else if (all[i].kind == BufferKind::total) {
      totals_.push_back(i);
      total_at_[i] = total_bytes_;
      total_bytes_ += bytes;
    } else if (all[i].kind == BufferKind::whole) {
      block_writes_whole_ |= all[i].written;
    }
  }
  staged_.resize(rows_buffers_.size());
}

std::size_t Program::memory() const {
  std::size_t bytes = shard_totals_.size();
  for (const Worker& worker : workers_)
    bytes += worker.arena.size() + worker.scratch.size() + worker.staging.size();
  return bytes;
}

// --- binding -------------------------------------------------------------------------

void Program::bind(std::size_t buffer, const Binding& binding) {
  bindings_[buffer] = binding;
  moved_ = true;
}

void Program::check_bound() const {
  for (std::size_t i = 0; i < buffers_.size(); ++i)
    if (!bindings_[i].bound)
      throw std::invalid_argument("nothing is bound to " + buffers_[i].name);
}

// A plan is verified by its buffers: none that is written may share memory with another.
void Program::check_apart() const {
  if (!moved_) return;
  for (std::size_t i = 0; i < buffers_.size(); ++i)
    for (std::size_t j = 0; buffers_[i].written && j < buffers_.size(); ++j)
      if (i != j &&
          overlap(span_of(buffers_[i], bindings_[i]), span_of(buffers_[j], bindings_[j])))
        throw std::invalid_argument("the array bound to " + buffers_[i].name +
                                    ", which is written, shares memory with that of " +
                                    buffers_[j].name);
}

void Program::check_rows(Index rows) const {
  if (rows < 0) throw std::invalid_argument("rows must not be negative");
  for (const std::size_t buffer : rows_buffers_) {
    const std::size_t named = block_->named[buffer];
    if (bindings_[named].rows < rows)
      throw std::invalid_argument(buffers_[named].name + " has " +
                                  std::to_string(bindings_[named].rows) +
                                  " rows, but the run has " + std::to_string(rows));
  }
}

void Program::check_one_block(Index rows) const {
  if (block_ && block_writes_whole_ && count_blocks(rows) > 1)
    throw std::invalid_argument("a plan that writes a whole buffer has one block, of " +
                                std::to_string(block_->plan.rows) +
                                " rows, but the run has " + std::to_string(rows));
}

// Whether rows must be brought together before a block can read them.
bool Program::is_staged(std::size_t named, bool has_order) const {
  const Named& buffer = buffers_[named];
  const Binding& binding = bindings_[named];
  if (buffer.written) {
    if (has_order)
      throw std::invalid_argument(buffer.name + " has rows that are written in order");
    return false;
  }
  const Index item = item_size(buffer.dtype);
  const auto address = reinterpret_cast<std::uintptr_t>(binding.data);
  const bool is_even = binding.move >= 0 && binding.move % item == 0 &&
                       address % static_cast<std::uintptr_t>(item) == 0;
  return has_order || !is_even || (buffer.dense && binding.move != buffer.bytes);
}

// Works out how rows lie. Tasks that were made for other strides are dropped.
void Program::set_moves(bool has_order) {
  if (!moved_ && has_order == has_order_) return;
  moved_ = true;
  has_order_ = has_order;
  bool changed = false;
  for (std::size_t i = 0; i < rows_buffers_.size(); ++i) {
    const std::size_t buffer = rows_buffers_[i];
    const std::size_t named = block_->named[buffer];
    staged_[i] = is_staged(named, has_order);
    const Index move = staged_[i] ? buffers_[named].bytes : bindings_[named].move;
    changed |= block_->moves[buffer] != move;
    block_->moves[buffer] = move;
  }
  if (changed) block_->ready.clear();
}

void Program::point(Part& part) {
  part.bases[0] = workers_[0].arena.data();
  for (std::size_t i = 1; i < part.bases.size(); ++i)
    if (part.named[i] != NO_NAME) part.bases[i] = bindings_[part.named[i]].data;
}

// --- getting ready -------------------------------------------------------------------

Ready& Program::ready(Part& part, Index rows) {
  for (const auto& made : part.ready)
    if (made->rows == rows) return *made;
  auto fresh = std::make_unique<Ready>();
  fresh->rows = rows;
  try {
    fresh->tasks = make_tasks({kernels_, part.plan, rows, part.moves}, part.plan.steps);
  } catch (const PlanError& error) {
    throw PlanError(std::string(part.name) + ": " + error.what());
  }
  fresh->scratch_bytes = 0;
  fresh->work = 0;
  for (const auto& task : fresh->tasks) {
    fresh->scratch_bytes = std::max(fresh->scratch_bytes, task->scratch_bytes);
    fresh->work += task->work;
  }
  if (part.ready.size() >= KEPT_READY) part.ready.erase(part.ready.begin());
  part.ready.push_back(std::move(fresh));
  return *part.ready.back();
}

double Program::estimate(Index rows) {
  if (!block_ || !block_->plan.rows || rows == 0) return 0;
  const Index some = std::min(rows, block_->plan.rows);
  return ready(*block_, some).work * static_cast<double>(rows) / static_cast<double>(some);
}

// The same of all parts.
double Program::work_of_step(Index rows) {
  double work = estimate(rows);
  for (Part* const part : {before_.get(), after_.get()})
    if (part) work += ready(*part, 0).work;
  return work;
}

// All memory that a run needs is taken here.
void Program::prepare(const Batch& batch, int threads) {
  if (block_ && block_->needs_all_rows && batch.rows != block_->plan.rows)
    throw std::invalid_argument("the program is one for " +
                                std::to_string(block_->plan.rows) +
                                " rows, but the run has " + std::to_string(batch.rows));
  std::size_t scratch = 0, arena = 0;
  for (Part* const part : {before_.get(), after_.get()}) {
    if (!part) continue;
    scratch = std::max(scratch, ready(*part, 0).scratch_bytes);
    arena = std::max(arena, static_cast<std::size_t>(part->plan.arena_bytes));
  }
  Index shards = 0;
  std::size_t block_arena = 0;
  if (block_) {
    shards = count_shards(batch.rows);
    block_arena = static_cast<std::size_t>(block_->plan.arena_bytes);
  }
  if (block_ && shards) {
    const Index each = block_->plan.rows;
    const Index last = each ? batch.rows - (count_blocks(batch.rows) - 1) * each : 0;
    ready(*block_, last);
    full_ = &ready(*block_, shards > 1 || count_blocks(batch.rows) > 1 ? each : last);
    last_ = &ready(*block_, last);
    scratch = std::max({scratch, full_->scratch_bytes, last_->scratch_bytes});
  }
  const auto wanted = static_cast<std::size_t>(threads);
  if (workers_.size() < wanted) workers_.resize(wanted);
  for (std::size_t i = 0; i < wanted; ++i) {
    const bool runs_shards = i == 0 || shards > 1;
    const std::size_t own = i == 0 ? std::max(arena, block_arena) : block_arena;
    prepare_worker(i, runs_shards ? own : 0, scratch, runs_shards ? staging_bytes_ : 0);
  }
  if (!totals_.empty() && shards > 1) {
    const std::size_t bytes = total_bytes_ * static_cast<std::size_t>(shards - 1);
    if (shard_totals_.size() < bytes) shard_totals_ = Memory(bytes);
  }
  if (moved_)
    for (Part* const part : {before_.get(), block_.get(), after_.get()})
      if (part) point(*part);
  moved_ = false;
  bad_step_.store(-1, std::memory_order_relaxed);
}

void Program::prepare_worker(std::size_t number, std::size_t arena, std::size_t scratch,
                             std::size_t staging) {
  Worker& worker = workers_[number];
  if (worker.arena.size() < arena || !worker.arena.data()) {
    worker.arena = Memory(arena);
    moved_ = true;
  }
  if (worker.scratch.size() < scratch || !worker.scratch.data())
    worker.scratch = Memory(scratch);
  if (worker.staging.size() < staging) worker.staging = Memory(staging);
  if (block_) worker.bases.resize(block_->bases.size());
}

}  // namespace thalweg
