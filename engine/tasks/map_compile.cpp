// Makes a map ready: the passes of map_compile.h, and the code that they end in.
#include "tasks/map_compile.h"

#include <algorithm>

namespace thalweg {

namespace {

using Kind = MapGraph::Kind;

double estimate(const MapGraph& graph) {
  double each = 0;
  for (const MapGraph::Line& line : graph.lines)
    if (graph.is_full(line.result))
      each += operation(line.opcode).cost * (item_size(line.in) / 4.0);
  for (const Place& input : graph.inputs) each += item_size(input.dtype) / 100.0;
  for (const MapOutput& output : graph.outputs)
    each += item_size(output.place.dtype) / 60.0;
  double elements = 1;
  for (int axis = 0; axis < graph.space.rank; ++axis)
    elements *= static_cast<double>(graph.space.extents[axis]);
  return each * elements;
}

class Assembler {
 public:
  Assembler(const MapGraph& graph, const Allocation& allocation, const Kernels& kernels)
      : graph_(graph), allocation_(allocation), kernels_(kernels) {}

  MapCode assemble(const std::vector<Stage>& stages) {
    code_.block_units = allocation_.block_units;
    code_.scratch = allocation_.scratch;
    code_.scratch_bytes = allocation_.scratch_bytes;
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) add_input(i);
    for (const Stage& stage : stages) {
      if (stage.function)
        add_line(stage);
      else
        add_chain(stage);
    }
    for (std::size_t i = 0; i < graph_.registers.size(); ++i)
      if (allocation_.repeated[i]) add_repetition(i);
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) add_output(i);
    return std::move(code_);
  }

 private:
  using Strides = std::array<Index, 2>;  // bytes along units, and elements of a unit

  Strides strides_of(const Place& place) const {
    const Steps steps = steps_of(graph_.space, place);
    return {steps.unit, steps.element};
  }

  Strides dense(Dtype dtype) const {
    const Index item = item_size(dtype);
    return {item * graph_.space.unit, item};
  }

  // --- inputs and outputs ------------------------------------------------------------

  void point_to(const Place& place, Slot slot) {
    code_.operands.push_back({slot, place.buffer, place.offset,
                              steps_of(graph_.space, place).unit, place.strides});
  }

  void add_input(std::size_t number) {
    const Place& input = graph_.inputs[number];
    const Slot from = allocation_.inputs[number], to = allocation_.registers[number];
    point_to(input, from);
    if (from != to) gather(input, from, to);
  }

  void gather(const Place& input, Slot from, Slot to) {
    const Steps steps = steps_of(graph_.space, input);
    const int item = item_size(input.dtype);
    const bool repeats_units = steps.unit == 0;
    const bool expands = graph_.space.unit > 1 &&
                         (steps.element == 0 || (repeats_units && steps.element == item));
    const bool repeats_slabs = stands_still_outside(graph_.space, input);
    (!repeats_units  ? code_.gathers
     : repeats_slabs ? code_.spread_once
                     : code_.spread_each_slab)
        .push_back({from, to, item, strides_of(input), dense(input.dtype), expands});
  }

  // A single number, for the lines that want it as a block.
  void add_repetition(std::size_t number) {
    const MapGraph::Register& given = graph_.registers[number];
    (given.kind == Kind::single ? code_.spread_once : code_.spread_each_slab)
        .push_back({allocation_.registers[number],
                    allocation_.repeated[number],
                    item_size(given.dtype),
                    {0, 0},
                    dense(given.dtype)});
  }

  void add_output(std::size_t number) {
    const MapOutput& output = graph_.outputs[number];
    point_to(output.place, allocation_.outputs[number]);
    if (allocation_.direct[number]) return;
    const MapGraph::Register& given = graph_.registers[output.line];
    code_.stores.push_back({slot_of(output.line), allocation_.outputs[number],
                            item_size(given.dtype),
                            given.kind == Kind::full ? dense(given.dtype) : Strides{0, 0},
                            strides_of(output.place)});
  }

  // --- lines -------------------------------------------------------------------------

  Slot slot_of(int number) const { return allocation_.registers[number]; }

  void add_line(const Stage& stage) {
    const MapGraph::Line& line = graph_.lines[stage.begin];
    MapCode::Line code{};
    code.function = stage.function;
    code.out = slot_of(line.result);
    for (int i = 0; i < line.operands; ++i) {
      const int operand = line.operand[i];
      const bool is_block = stage.repeated >> i & 1;
      code.operands[i] = is_block ? allocation_.repeated[operand] : slot_of(operand);
    }
    lines_of(graph_.registers[line.result].kind).push_back(code);
  }

  std::vector<MapCode::Line>& lines_of(Kind kind) {
    return kind == Kind::full     ? code_.lines
           : kind == Kind::single ? code_.once
                                  : code_.each_slab;
  }

  void add_chain(const Stage& stage) {
    MapCode::Line code{};
    code.dtype = graph_.lines[stage.begin].in;
    code.first_link = code_.links.size();
    code_.lines.push_back(code);
    add_link(Opcode::load, code.dtype, slot_of(stage.flow));
    int flow = stage.flow;
    for (std::size_t i = stage.begin; i < stage.end; ++i) {
      add_link(graph_.lines[i], flow);
      flow = flow_after(graph_.lines[i], flow);
    }
    add_link(Opcode::end, code.dtype, 0);
  }

  void add_link(Opcode opcode, Dtype dtype, Slot place) {
    Link link{};
    kernels_.link(link, opcode, dtype, 0, 0);
    link.places[0] = place;
    code_.links.push_back(link);
  }

  void add_link(const MapGraph::Line& line, int flow) {
    Link link{};
    make_link(graph_, kernels_, line, flow, link);
    int places = 0;
    for (int i = 0; i < line.operands; ++i)
      if (line.operand[i] != flow) link.places[places++] = slot_of(line.operand[i]);
    const bool flows_on = line.in == line.out;
    const Slot result = slot_of(line.result);
    if (!flows_on) link.places[places] = result;
    code_.links.push_back(link);
    if (flows_on && result) add_link(Opcode::leave, line.out, result);
  }

  const MapGraph& graph_;
  const Allocation& allocation_;
  const Kernels& kernels_;
  MapCode code_;
};

}  // namespace

MapTask::MapTask(const Circumstances& circumstances, const MapStep& step)
    : kernels_(&circumstances.kernels) {
  MapGraph graph = make_graph(circumstances, step);
  if (does_nothing(graph)) return;
  join_multiplies(graph, *kernels_);
  const std::vector<Stage> stages = schedule(graph, *kernels_);
  const Allocation allocation = allocate(graph, stages);
  code_ = Assembler(graph, allocation, *kernels_).assemble(stages);
  space_ = graph.space;
  units = space_.outer_rank ? space_.extents[0] : space_.slab_units;
  grain = space_.outer_rank ? 1 : (64 + space_.unit - 1) / space_.unit;
  scratch_bytes = code_.scratch_bytes;
  work = estimate(graph);
}

}  // namespace thalweg
