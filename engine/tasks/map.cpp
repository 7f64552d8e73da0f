#include "tasks/map.h"

#include <cstring>

namespace thalweg {

bool MapTask::run(const Frame& frame, std::byte* scratch, Index from, Index to) const {
  if (from >= to) return true;
  auto** const table = reinterpret_cast<std::byte**>(scratch);
  table[0] = nullptr;
  for (const auto& [slot, offset] : code_.scratch) table[slot] = scratch + offset;
  for (const Operand& operand : code_.operands)
    table[operand.slot] = frame.bases[operand.buffer] + operand.offset;
  for (const Line& line : code_.once) run_line(line, table, 1);
  for (const Transfer& spread : code_.spread_once)
    transfer(spread, table, std::min(code_.block_units, space_.slab_units));
  if (space_.outer_rank) {
    outer(frame, table, from, to);
  } else {
    if (from)
      for (const Operand& operand : code_.operands)
        table[operand.slot] += from * operand.step;
    slab(table, from, to);
  }
  return true;
}

bool MapTask::run_rows(const Frame& frame, std::byte* scratch, Index from, Index to,
                       Index columns) const {
  if (units == 0) return true;
  const bool is_line = space_.outer_rank == 0 && space_.unit == 1;
  const Index factor = is_line ? columns : 1;
  return run(frame, scratch, from * factor, to * factor);
}

// Slab after slab: like an odometer over the outer axes, the first from…to.
void MapTask::outer(const Frame& frame, std::byte** table, Index from, Index to) const {
  Extents index{};
  index[0] = from;
  while (index[0] < to) {
    for (const Operand& operand : code_.operands) {
      std::byte* at = frame.bases[operand.buffer] + operand.offset;
      for (int axis = 0; axis < space_.outer_rank; ++axis)
        at += index[axis] * operand.strides[axis];
      table[operand.slot] = at;
    }
    slab(table, 0, space_.slab_units);
    int axis = space_.outer_rank - 1;
    while (++index[axis] == space_.extents[axis] && axis > 0) index[axis--] = 0;
  }
}

void MapTask::slab(std::byte** table, Index from, Index to) const {
  for (const Line& line : code_.each_slab) run_line(line, table, 1);
  for (const Transfer& spread : code_.spread_each_slab)
    transfer(spread, table, std::min(code_.block_units, to - from));
  while (true) {
    const Index units = std::min(code_.block_units, to - from);
    block(table, units);
    from += units;
    if (from >= to) return;
    for (const Operand& operand : code_.operands)
      table[operand.slot] += units * operand.step;
  }
}

void MapTask::block(std::byte** table, Index units) const {
  for (const Transfer& gather : code_.gathers) transfer(gather, table, units);
  const Index n = units * space_.unit;
  for (const Line& line : code_.lines) run_line(line, table, n);
  for (const Transfer& store : code_.stores) transfer(store, table, units);
}

void MapTask::run_line(const Line& line, std::byte** table, Index n) const {
  if (line.function)
    line.function(n, table[line.out], table[line.operands[0]], table[line.operands[1]],
                  table[line.operands[2]]);
  else
    kernels_->run_chain(line.dtype, n, code_.links.data() + line.first_link, table);
}

void MapTask::transfer(const Transfer& transfer, std::byte** table, Index units) const {
  const std::byte* const in = table[transfer.from];
  std::byte* const out = table[transfer.to];
  if (transfer.expands) {
    kernels_->expand(transfer.item, units, space_.unit, in, transfer.in[0], transfer.in[1],
                     out);
    return;
  }
  Copy copy{};
  copy.item_size = transfer.item;
  copy.in = in;
  copy.out = out;
  copy.rank = space_.unit == 1 ? 1 : 2;
  copy.extents[0] = units;
  copy.extents[1] = space_.unit;
  for (int axis = 0; axis < 2; ++axis) {
    copy.in_strides[axis] = transfer.in[axis];
    copy.out_strides[axis] = transfer.out[axis];
  }
  kernels_->copy(copy);
}

}  // namespace thalweg
