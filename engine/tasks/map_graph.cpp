// The graph of a map: registers, and the lines that compute some of them from others.
#include <algorithm>

#include "tasks/map_compile.h"

namespace thalweg {

namespace {

constexpr Index LONG_ROW = 512;       // rows at least so long are run one by one
constexpr Index LONG_ENOUGH = 128;    // the same, where each has a number of its own, or
constexpr std::size_t MANY_GAPS = 4;  // so many places have gaps between rows

using Kind = MapGraph::Kind;
using Line = MapGraph::Line;

// --- the space -----------------------------------------------------------------------

Extents extents_of(const Circumstances& circumstances, const MapStep& step) {
  Extents extents = step.extents;
  if (step.rows_axis >= 0)
    extents[step.rows_axis] =
        extents[step.rows_axis] / circumstances.plan.rows * circumstances.rows;
  return extents;
}

// Whether rows are in order, but don't follow each other without a gap.
bool has_gaps(const MapSpace& space, const Place& place) {
  const Index row = place.strides[space.rank - 1] * space.extents[space.rank - 1];
  return place.strides[space.rank - 1] == item_size(place.dtype) &&
         place.strides[space.rank - 2] != row;
}

// Short rows are run several at a time, as one row of elements: what has gaps is copied
// for it.
bool runs_rows_together(const MapGraph& graph) {
  const MapSpace& space = graph.space;
  const int rank = space.rank;
  if (rank < 2 || space.extents[rank - 1] >= LONG_ROW) return false;
  if (space.extents[rank - 1] < LONG_ENOUGH) return true;
  const auto has_own_number = [rank](const Place& place) {
    return place.strides[rank - 1] == 0 && place.strides[rank - 2] != 0;
  };
  std::size_t gaps = 0;
  for (const Place& input : graph.inputs) gaps += has_gaps(space, input);
  for (const MapOutput& output : graph.outputs) gaps += has_gaps(space, output.place);
  return gaps < MANY_GAPS &&
         std::none_of(graph.inputs.begin(), graph.inputs.end(), has_own_number);
}

// Drops and joins axes, of the space and of all places in it.
void collapse_space(MapGraph& graph) {
  std::vector<Place*> places;
  for (Place& input : graph.inputs) places.push_back(&input);
  for (MapOutput& output : graph.outputs) places.push_back(&output.place);
  std::vector<Extents*> strides;
  for (Place* const place : places) strides.push_back(&place->strides);
  MapSpace& space = graph.space;
  space.rank = collapse(space.rank, space.extents, strides);
  for (Place* const place : places) {
    place->rank = space.rank;
    place->rows_axis = -1;
    place->extents = space.extents;
  }
}

void cut_space(MapGraph& graph) {
  const bool flat = runs_rows_together(graph);
  MapSpace& space = graph.space;
  space.outer_rank = std::max(space.rank - (flat ? 2 : 1), 0);
  space.unit = flat ? space.extents[space.rank - 1] : 1;
  space.slab_units = space.rank == 0 ? 1 : space.extents[space.outer_rank];
}

// --- the lines -----------------------------------------------------------------------

// `stands`: for all rows, though the block may have only one.
Kind kind_of(const MapSpace& space, const Place& input, bool stands) {
  const Steps steps = steps_of(space, input);
  if (space.rank == 0) return stands ? Kind::single : Kind::full;
  if (steps.unit || steps.element) return Kind::full;
  return stands_still_outside(space, input) ? Kind::single : Kind::single_in_slab;
}

bool changes_nothing(const Line& line) {
  return line.opcode == Opcode::stop_gradient ||
         (line.opcode == Opcode::cast && line.in == line.out);
}

// `same_as`: for each register the one that holds the same, often itself.
Line read_line(const MapStep& step, const MapLine& given, const std::vector<int>& same_as) {
  Line line{given.opcode,   dtype_read(step, given), given.dtype,
            given.operands, given.operand,           static_cast<int>(same_as.size())};
  for (int i = 0; i < line.operands; ++i) line.operand[i] = same_as[line.operand[i]];
  return line;
}

Kind kind_of_result(const MapGraph& graph, const Line& line) {
  Kind kind = Kind::single;
  for (int i = 0; i < line.operands; ++i)
    kind = std::max(kind, graph.registers[line.operand[i]].kind);
  return kind;
}

bool is_of_rows(const MapGraph& graph, const Line& line) {
  return std::any_of(line.operand.begin(), line.operand.begin() + line.operands,
                     [&](int operand) { return graph.registers[operand].of_rows; });
}

void read_lines(MapGraph& graph, const MapStep& step) {
  std::vector<int> same_as;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const Place& input = graph.inputs[i];
    same_as.push_back(static_cast<int>(i));
    const bool of_rows = step.inputs[i].rows_axis >= 0;
    const Kind kind = kind_of(graph.space, input, step.rows_axis >= 0 && !of_rows);
    graph.registers.push_back({input.dtype, kind, of_rows});
  }
  for (const MapLine& given : step.lines) {
    const Line line = read_line(step, given, same_as);
    graph.registers.push_back(
        {line.out, kind_of_result(graph, line), is_of_rows(graph, line)});
    same_as.push_back(changes_nothing(line) ? line.operand[0] : line.result);
    if (!changes_nothing(line)) graph.lines.push_back(line);
  }
  for (MapOutput& output : graph.outputs) output.line = same_as[output.line];
}

// --- multiplies ----------------------------------------------------------------------

std::vector<int> count_readers(const MapGraph& graph) {
  std::vector<int> readers(graph.registers.size());
  for (const Line& line : graph.lines)
    for (int i = 0; i < line.operands; ++i) ++readers[line.operand[i]];
  for (const MapOutput& output : graph.outputs) ++readers[output.line];
  return readers;
}

// Whether a line, if there is one, reads inputs alone.
bool reads_inputs(const MapGraph& graph, int number) {
  if (number < 0) return false;
  const Line& line = graph.lines[static_cast<std::size_t>(number)];
  const auto inputs = static_cast<int>(graph.inputs.size());
  return std::all_of(line.operand.begin(), line.operand.begin() + line.operands,
                     [&](int operand) { return operand < inputs; });
}

// Makes a line one with a multiply that it reads on one side; false if it can't be.
bool join(const MapGraph& graph, const Kernels& kernels, const Line& multiply, Line& line,
          int side) {
  if (multiply.opcode != Opcode::multiply ||
      graph.registers[multiply.result].kind != graph.registers[line.result].kind)
    return false;
  Opcode opcode = Opcode::multiply_add;
  if (line.opcode == Opcode::subtract)
    opcode = side == 0 ? Opcode::multiply_subtract : Opcode::subtract_multiply;
  if (!kernels.map(opcode, line.in, line.out, 0)) return false;
  const int other = line.operand[1 - side];
  line.opcode = opcode;
  line.operands = 3;
  line.operand = {multiply.operand[0], multiply.operand[1], other};
  return true;
}

}  // namespace

MapGraph make_graph(const Circumstances& circumstances, const MapStep& step) {
  MapGraph graph;
  graph.space.rank = step.rank;
  graph.space.extents = extents_of(circumstances, step);
  for (const Place& input : step.inputs)
    graph.inputs.push_back(resolve(circumstances, input));
  for (const MapOutput& output : step.outputs)
    graph.outputs.push_back({output.line, resolve(circumstances, output.place)});
  collapse_space(graph);
  cut_space(graph);
  read_lines(graph, step);
  return graph;
}

bool does_nothing(const MapGraph& graph) {
  for (int axis = 0; axis < graph.space.rank; ++axis)
    if (graph.space.extents[axis] == 0) return true;
  const auto lies_there = [&](const MapOutput& output) {
    if (output.line >= static_cast<int>(graph.inputs.size())) return false;
    const Place& input = graph.inputs[output.line];
    return input.buffer == output.place.buffer && input.offset == output.place.offset &&
           input.strides == output.place.strides;
  };
  return std::all_of(graph.outputs.begin(), graph.outputs.end(), lies_there);
}

void join_multiplies(MapGraph& graph, const Kernels& kernels) {
  const std::vector<int> readers = count_readers(graph);
  const std::vector<int> writers = find_writers(graph);
  std::vector<bool> joined(graph.registers.size());
  for (Line& line : graph.lines) {
    if (line.opcode != Opcode::add && line.opcode != Opcode::subtract) continue;
    // Of two, that of numbers which lie in memory: the other can flow into the line.
    const int first = reads_inputs(graph, writers[line.operand[1]]) ||
                      !reads_inputs(graph, writers[line.operand[0]]);
    for (const int side : {first, 1 - first}) {
      const int product = line.operand[side];
      if (writers[product] < 0 || joined[product] || readers[product] != 1) continue;
      joined[product] = join(graph, kernels, graph.lines[writers[product]], line, side);
      if (joined[product]) break;
    }
  }
  std::erase_if(graph.lines, [&](const Line& line) { return joined[line.result]; });
}

std::vector<int> find_writers(const MapGraph& graph) {
  std::vector<int> writers(graph.registers.size(), -1);
  for (std::size_t i = 0; i < graph.lines.size(); ++i)
    writers[graph.lines[i].result] = static_cast<int>(i);
  return writers;
}

Steps steps_of(const MapSpace& space, const Place& place) {
  if (space.rank == 0) return {0, 0};
  const Index unit = place.strides[space.outer_rank];
  return {unit, space.unit == 1 ? 0 : place.strides[space.rank - 1]};
}

bool stands_still_outside(const MapSpace& space, const Place& place) {
  for (int axis = 0; axis < space.outer_rank; ++axis)
    if (place.strides[axis]) return false;
  return true;
}

}  // namespace thalweg
