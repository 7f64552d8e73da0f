// The passes that make a map ready, in their order, and what each hands on.
#pragma once

#include "tasks/map.h"

namespace thalweg {

// --- map_graph.cpp: what is computed from what ---------------------------------------

struct MapGraph {
  // Of a register: one number for all elements, one for each slab, or one for each.
  enum class Kind : std::uint8_t { single, single_in_slab, full };

  struct Register {
    Dtype dtype;
    Kind kind;
    bool of_rows;  // one for each row of the batch, even if the block has only one
  };

  struct Line {
    Opcode opcode;
    Dtype in, out;
    int operands;
    std::array<int, 3> operand;  // registers
    int result;                  // the same
  };

  bool is_full(int number) const { return registers[number].kind == Kind::full; }

  MapSpace space;
  std::vector<Place> inputs;        // as they lie in the space
  std::vector<Register> registers;  // the inputs first
  std::vector<Line> lines;
  std::vector<MapOutput> outputs;
};

MapGraph make_graph(const Circumstances& circumstances, const MapStep& step);

// Whether there is nothing to do: no element, or every output is an input that lies
// there already.
bool does_nothing(const MapGraph& graph);

// A multiply whose only reader adds or subtracts becomes one line with it.
void join_multiplies(MapGraph& graph, const Kernels& kernels);

// For each register the line that computes it; -1: none, it is an input.
std::vector<int> find_writers(const MapGraph& graph);

struct Steps {  // bytes
  Index unit, element;
};

Steps steps_of(const MapSpace& space, const Place& place);

// Whether a place is one number, or one row, for all slabs.
bool stands_still_outside(const MapSpace& space, const Place& place);

// --- map_schedule.cpp: what runs after what, and by which function -------------------

// Lines that run as one: a chain, through which the numbers of registers flow, or a line
// that has a function to itself.
struct Stage {
  std::size_t begin, end;  // lines
  int flow;                // the register that a chain loads
  MapFunction function;    // of a line; null: a chain
  unsigned repeated;       // bit j: the function wants operand j, one number, as a block
};

// Puts the lines in order. Throws PlanError if there is no kernel for one of them.
std::vector<Stage> schedule(MapGraph& graph, const Kernels& kernels);

// Makes the link that a line is in a chain where a register's numbers flow; false if
// there is none.
bool make_link(const MapGraph& graph, const Kernels& kernels, const MapGraph::Line& line,
               int flow, Link& link);

// What flows on: comparisons only look at it.
inline int flow_after(const MapGraph::Line& line, int flow) {
  return flow < 0 || line.in == line.out ? line.result : flow;
}

// --- map_allocate.cpp: what lies where -----------------------------------------------

// Slot 0 stands for nothing.
struct Allocation {
  std::vector<Slot> inputs, outputs;  // that point to their places
  std::vector<bool> direct;           // of outputs: a line leaves its result there
  std::vector<Slot> registers;        // 0: it only flows
  std::vector<Slot> repeated;         // of registers: the block of one number; 0: none
  Index block_units = 1;              // of a slab, that fit into scratch at a time
  std::vector<std::pair<Slot, std::size_t>> scratch;  // slots that lie in scratch
  std::size_t scratch_bytes = 0;
};

Allocation allocate(const MapGraph& graph, const std::vector<Stage>& stages);

}  // namespace thalweg
