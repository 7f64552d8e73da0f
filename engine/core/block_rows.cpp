#include "core/block_rows.h"

#include <cstring>

namespace thalweg {

BlockRows::BlockRows(Part& part, const Kernels& kernels, const Buffers& buffers)
    : part_(part), kernels_(kernels), buffers_(buffers) {
  const std::vector<Buffer>& all = part.plan().buffers;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].kind != BufferKind::rows) continue;
    held_.push_back({i, part.named(i), staging_bytes_});
    staging_bytes_ += aligned(static_cast<std::size_t>(all[i].bytes));
  }
}

void BlockRows::check(Index rows) const {
  for (const Held& held : held_) buffers_.check_rows(held.named, rows);
}

void BlockRows::set_moves(bool has_order) {
  for (Held& held : held_) {
    held.staged = buffers_.is_staged(held.named, has_order);
    part_.set_move(held.buffer, held.staged ? buffers_[held.named].bytes
                                            : buffers_.binding(held.named).move);
  }
}

bool BlockRows::place(const Batch& batch, Index first, Index rows, Worker& worker) const {
  bool is_good = true;
  for (const Held& held : held_) {
    const Binding& binding = buffers_.binding(held.named);
    if (held.staged) {
      std::byte* const out = worker.staging.data() + held.staging_at;
      is_good &= stage(held, batch, first, rows, out);
      worker.bases[held.buffer] = out;
    } else {
      worker.bases[held.buffer] = binding.data + (batch.first + first) * binding.move;
    }
  }
  return is_good;
}

// Brings a block's rows together.
bool BlockRows::stage(const Held& held, const Batch& batch, Index first, Index rows,
                      std::byte* out) const {
  const Binding& binding = buffers_.binding(held.named);
  const Index bytes = buffers_[held.named].bytes;
  if (batch.order)
    return kernels_.take_wide(rows, bytes, binding.data, binding.move, binding.rows,
                              batch.order + batch.first + first, out);
  for (Index row = 0; row < rows; ++row)
    std::memcpy(out + row * bytes,
                binding.data + (batch.first + first + row) * binding.move,
                static_cast<std::size_t>(bytes));
  return true;
}

}  // namespace thalweg
