// Which slot each register of a map has, and where scratch lies.
#include <algorithm>

#include "platform/memory.h"
#include "tasks/map_compile.h"

namespace thalweg {

namespace {

constexpr Index BLOCK_BYTES = 24 << 10;  // of all scratch; the first cache holds 32K
constexpr Index LEAST_BLOCK = 256;       // elements
constexpr Index MOST_BLOCK = 1024;
constexpr int ALWAYS = 1 << 30;  // later than any line
constexpr int NEVER = -1;

using Line = MapGraph::Line;

bool overlap(const Place& a, const Place& b) {
  const auto end = [](const Place& place) {
    Index last = place.offset + item_size(place.dtype);
    for (int axis = 0; axis < place.rank; ++axis)
      last += (place.extents[axis] - 1) * place.strides[axis];
    return last;
  };
  return a.buffer == b.buffer && a.offset < end(b) && b.offset < end(a);
}

bool is_in_order(const MapSpace& space, const Place& place) {
  const Index item = item_size(place.dtype);
  const Steps steps = steps_of(space, place);
  if (space.rank == 0) return true;
  if (space.unit == 1) return steps.unit == item;
  return steps.element == item && steps.unit == item * space.unit;
}

// For each register the last line that reads it.
std::vector<int> find_last_reads(const MapGraph& graph) {
  std::vector<int> last_reads(graph.registers.size(), NEVER);
  for (std::size_t i = 0; i < graph.lines.size(); ++i)
    for (int j = 0; j < graph.lines[i].operands; ++j)
      last_reads[graph.lines[i].operand[j]] = static_cast<int>(i);
  return last_reads;
}

class Allocator {
 public:
  Allocator(const MapGraph& graph, const std::vector<Stage>& stages)
      : graph_(graph),
        stages_(stages),
        last_reads_(find_last_reads(graph)),
        pooled_(graph.registers.size()) {
    allocation_.registers.resize(graph.registers.size());
    allocation_.repeated.resize(graph.registers.size());
  }

  Allocation allocate() {
    place_inputs();
    place_outputs();
    for (const Stage& stage : stages_) {
      if (stage.function)
        place_line(stage);
      else
        place_chain(stage);
    }
    lay_out_scratch();
    return std::move(allocation_);
  }

 private:
  // --- slots -------------------------------------------------------------------------

  Slot new_slot() { return next_slot_++; }

  Slot block_slot() {
    blocks_.push_back(new_slot());
    return blocks_.back();
  }

  Slot pooled_slot() {
    if (free_.empty()) return block_slot();
    const Slot slot = free_.back();
    free_.pop_back();
    return slot;
  }

  // --- inputs and outputs ------------------------------------------------------------

  // An input that isn't in order is gathered, block by block.
  void place_inputs() {
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      const Slot slot = new_slot();
      const bool stays = is_in_order(graph_.space, graph_.inputs[i]) && !is_stored_late(i);
      const bool gathered = graph_.is_full(static_cast<int>(i)) && !stays;
      allocation_.inputs.push_back(slot);
      allocation_.registers[i] = gathered ? block_slot() : slot;
    }
  }

  // Whether an input is an output too, and another output may lie where it does.
  bool is_stored_late(std::size_t input) const {
    return is_output(static_cast<int>(input)) &&
           std::any_of(graph_.outputs.begin(), graph_.outputs.end(),
                       [&](const MapOutput& output) {
                         return overlap(output.place, graph_.inputs[input]);
                       });
  }

  bool is_output(int number) const {
    return std::any_of(graph_.outputs.begin(), graph_.outputs.end(),
                       [&](const MapOutput& output) { return output.line == number; });
  }

  void place_outputs() {
    for (const MapOutput& output : graph_.outputs) {
      allocation_.outputs.push_back(new_slot());
      if (output.line < static_cast<int>(graph_.inputs.size()))
        last_reads_[output.line] = ALWAYS;
    }
    choose_direct();
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i)
      if (!allocation_.direct[i]) last_reads_[graph_.outputs[i].line] = ALWAYS;
  }

  // Results go straight to their place where that is in order and no line reads later
  // what lies there now.
  void choose_direct() {
    const std::vector<int> writers = find_writers(graph_);
    for (const MapOutput& output : graph_.outputs) {
      const int line = writers[output.line];
      const bool can_be = line >= 0 && graph_.is_full(output.line) &&
                          is_in_order(graph_.space, output.place) &&
                          !direct_slot(output.line) && is_free_after(line, output.place);
      allocation_.direct.push_back(can_be);
    }
  }

  bool is_free_after(int line, const Place& place) const {
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
      if (last_reads_[i] > line && overlap(graph_.inputs[i], place)) return false;
    return true;
  }

  // The output's slot that a register's line leaves its result in, or 0.
  Slot direct_slot(int number) const {
    for (std::size_t i = 0; i < allocation_.direct.size(); ++i)
      if (allocation_.direct[i] && graph_.outputs[i].line == number)
        return allocation_.outputs[i];
    return 0;
  }

  // --- lines -------------------------------------------------------------------------

  void place_line(const Stage& stage) {
    const Line& line = graph_.lines[stage.begin];
    for (int i = 0; i < line.operands; ++i)
      if (stage.repeated >> i & 1) repeat(line.operand[i]);
    if (graph_.is_full(line.result)) {
      std::vector<Slot> later;
      release_operands(stage.begin, later);
      place_result(line.result);
      free_.insert(free_.end(), later.begin(), later.end());
    } else {
      singles_.push_back(new_slot());
      allocation_.registers[line.result] = singles_.back();
    }
  }

  void repeat(int number) {
    Slot& slot = allocation_.repeated[number];
    if (!slot) slot = block_slot();
  }

  void place_chain(const Stage& stage) {
    std::vector<Slot> later;
    for (std::size_t i = stage.begin; i < stage.end; ++i) {
      const Line& line = graph_.lines[i];
      // Where numbers of another size lay, the chain may still read those further on.
      release_operands(i, later);
      if (line.in != line.out || is_wanted(line.result, flow_end(i, stage.end)))
        place_result(line.result);
    }
    free_.insert(free_.end(), later.begin(), later.end());
  }

  // Behind the last line of a chain that a line's result flows to.
  std::size_t flow_end(std::size_t number, std::size_t end) const {
    std::size_t last = number + 1;
    while (last < end && graph_.lines[last].in != graph_.lines[last].out) ++last;
    return std::min(last + 1, end);
  }

  // Whether a result that flows to the line before `end` is wanted in memory, too.
  bool is_wanted(int result, std::size_t end) const {
    return is_output(result) || last_reads_[result] >= static_cast<int>(end);
  }

  // Frees the scratch that no line after this one reads: for this line's result too, or,
  // where the size of its numbers is another, only later.
  void release_operands(std::size_t number, std::vector<Slot>& later) {
    const Line& line = graph_.lines[number];
    for (int i = 0; i < line.operands; ++i) {
      const int operand = line.operand[i];
      if (!pooled_[operand] || last_reads_[operand] != static_cast<int>(number)) continue;
      pooled_[operand] = false;  // an operand may be named twice
      const Dtype dtype = graph_.registers[operand].dtype;
      const bool same_size = item_size(dtype) == item_size(line.out);
      (same_size ? free_ : later).push_back(allocation_.registers[operand]);
    }
  }

  // A line leaves its result in an output's place, or in scratch.
  void place_result(int result) {
    const Slot direct = direct_slot(result);
    pooled_[result] = !direct;
    allocation_.registers[result] = direct ? direct : pooled_slot();
  }

  // --- scratch -----------------------------------------------------------------------

  // The table of slots itself comes first.
  void lay_out_scratch() {
    Index width = 4;
    for (const MapGraph::Register& each : graph_.registers)
      width = std::max(width, static_cast<Index>(item_size(each.dtype)));
    const auto blocks = std::max<Index>(static_cast<Index>(blocks_.size()), 1);
    const Index fitting = BLOCK_BYTES / (blocks * width) / 64 * 64;
    const Index elements = std::clamp(fitting, LEAST_BLOCK, MOST_BLOCK);
    const MapSpace& space = graph_.space;
    allocation_.block_units = std::max<Index>(elements / space.unit, 1);
    const Index most = std::min(allocation_.block_units, space.slab_units) * space.unit;
    allocation_.scratch_bytes = aligned(next_slot_ * sizeof(std::byte*));
    lay_out(singles_, ALIGNMENT);
    lay_out(blocks_,
            aligned(static_cast<std::size_t>(most * width)) + ALIGNMENT);  // see expand
  }

  void lay_out(const std::vector<Slot>& slots, std::size_t bytes) {
    for (const Slot slot : slots) {
      allocation_.scratch.emplace_back(slot, allocation_.scratch_bytes);
      allocation_.scratch_bytes += bytes;
    }
  }

  const MapGraph& graph_;
  const std::vector<Stage>& stages_;
  std::vector<int> last_reads_;
  std::vector<bool> pooled_;  // registers whose slot can be given on
  Allocation allocation_;
  Slot next_slot_ = 1;
  std::vector<Slot> free_, blocks_, singles_;
};

}  // namespace

Allocation allocate(const MapGraph& graph, const std::vector<Stage>& stages) {
  return Allocator(graph, stages).allocate();
}

}  // namespace thalweg
