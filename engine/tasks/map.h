// Elementwise chains, interpreted over blocks of elements that stay in the first cache.
#pragma once

#include <array>

#include "tasks/task.h"

namespace thalweg {

// Where registers lie while a block runs: a table of pointers, one for each slot.
using Slot = std::uint32_t;

// What a map goes over: outer axes, each of whose indices is a slab; a slab is
// `slab_units` units, of `unit` elements each.
struct MapSpace {
  int rank = 0;
  Extents extents{};
  int outer_rank = 0;
  Index slab_units = 0;
  Index unit = 1;
};

// A map made ready.
struct MapCode {
  struct Operand {  // a place that a slot points to
    Slot slot;
    int buffer;
    Index offset;
    Index step;  // bytes that a unit moves it on, within a slab
    Extents strides;
  };

  struct Line {
    MapFunction function;  // null: a chain
    Slot out;
    std::array<Slot, 3> operands;
    Dtype dtype;             // of a chain
    std::size_t first_link;  // the same
  };

  struct Transfer {  // elements brought into scratch, or out of it
    Slot from, to;
    int item;
    std::array<Index, 2> in, out;  // bytes along units and along elements of a unit
    bool expands = false;          // to scratch, what stands for several elements
  };

  Index block_units = 1;  // of a slab, run at a time
  std::vector<Operand> operands;
  std::vector<std::pair<Slot, std::size_t>> scratch;  // slots that lie in scratch
  std::size_t scratch_bytes = 0;
  std::vector<Line> once;             // lines of single numbers
  std::vector<Transfer> spread_once;  // single numbers that a line wants as a block
  std::vector<Line> each_slab;
  std::vector<Transfer> spread_each_slab;
  std::vector<Transfer> gathers;  // before each block
  std::vector<Line> lines;
  std::vector<Link> links;       // of their chains
  std::vector<Transfer> stores;  // after each block
};

class MapTask final : public Task {
 public:
  MapTask(const Circumstances& circumstances, const MapStep& step);

  bool run(const Frame& frame, std::byte* scratch, Index from, Index to) const override;

  // Does rows from…to of a space that is a matrix with so many columns.
  bool run_rows(const Frame& frame, std::byte* scratch, Index from, Index to,
                Index columns) const;

 private:
  using Operand = MapCode::Operand;
  using Line = MapCode::Line;
  using Transfer = MapCode::Transfer;

  void slab(std::byte** table, Index from, Index to) const;
  void block(std::byte** table, Index units) const;
  void run_line(const Line& line, std::byte** table, Index n) const;
  void transfer(const Transfer& transfer, std::byte** table, Index units) const;
  void outer(const Frame& frame, std::byte** table, Index from, Index to) const;

  const Kernels* kernels_;
  MapSpace space_;
  MapCode code_;
};

}  // namespace thalweg
