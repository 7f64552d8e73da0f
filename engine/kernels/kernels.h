// The kernels, as a table of functions that each instruction set has one of.
//
// Nothing here knows plans, threads or Python. All functions may be called from any
// thread, allocate nothing, and read and write exactly the elements that they are told.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/primitives.h"

namespace thalweg {

using Index = std::int64_t;

// out[i] = f(a[i], b[i], c[i]) for 0 <= i < n, elements in order without gaps.
// `out` may be one of the operands; operands that are not used are null.
using MapFunction = void (*)(Index n, void* out, const void* a, const void* b,
                             const void* c);

// One operation of a chain, in which each works on what the one before it hands on in
// registers. Whatever else it works on, and whatever it leaves, lies where the entries
// of a table point that `places` names.
struct Link {
  using Function = void (*)();  // of a type that only the kernels know
  Function whole, part;
  std::uint32_t places[2];
};

// One matrix product: c[i, j] = start + sum over l of a[i, l] * b[l, j].
// Strides count elements. The columns of c are adjacent; a and b may lie in any way that
// strides can say. One of the two may lie as windows do, which they can't: number l begins
// where a list says, and rows of a lie in lines.
struct Product {
  Dtype dtype;  // float32 or float64
  Index m, n, k;
  const void* a;
  Index a_row, a_column;
  const Index* a_at;   // the k places of l, instead of a_column's, or null
  Index line, a_line;  // with a_at: rows of a line, and from one of them to the next
  const void* b;
  Index b_row, b_column;
  const Index* b_at;  // the k places of l, instead of b_row's, or null; b_column is 1 then
  void* c;
  Index c_row;
  const void* bias;  // start: n numbers that every row begins with, or null for 0
  bool accumulate;   // start: what c holds already (bias is null then)
  void* scratch;     // as many bytes as product_scratch says, 64-byte aligned
  const void* packed = nullptr;  // b as pack_factor left it, or null
};

// c[f, s, r] += sum over l of b[l, f] · a[at[l] + segments[s] + r]: what windows of a give
// to filters f. Offsets and strides count elements; the columns of b are adjacent, and c
// has no gaps.
struct WindowSum {
  Dtype dtype;                          // float32 or float64
  Index depth, filters, segments, run;  // of l, f, s and r
  const void* a;
  const Index* at;
  const Index* segment_at;
  Index span;  // of a, from its start to the end of the last window
  const void* b;
  Index b_row;
  void* c;
  bool accumulate;  // else c begins at 0
  void* scratch;    // as many bytes as window_scratch says, 64-byte aligned
};

// c[at[i] + segments[s] + r] += sum over j of a[i, j] · b[j, (s, r)]: rows of a product,
// each added to a window of c, one row after the other. The columns of a and b are
// adjacent.
struct WindowSpread {
  Dtype dtype;                       // float32 or float64
  Index rows, depth, segments, run;  // of i, j, s and r
  const void* a;
  Index a_row;
  const void* b;
  Index b_row;
  void* c;
  const Index* at;
  const Index* segment_at;
  void* scratch;  // as many bytes as window_scratch says, 64-byte aligned
};

// out[o, i] = reduction over l of in[o, l, i]. Strides count bytes.
struct Reduction {
  Opcode opcode;  // sum, max or argmax (whose out is int32)
  Dtype dtype;
  Index outer, length, inner;
  const void* in;
  Index in_outer, in_length, in_inner;
  void* out;
  Index out_outer, out_inner;
  bool accumulate;  // sum only: add to what out holds already
};

inline constexpr int MAX_RANK = 8;

// Windows of x at many places, whose axes have extents and strides; an element of a
// window lies `in_elements` bytes from where x is at its place, and `channels` numbers
// are adjacent there. Strides count bytes.
struct Windows {
  Dtype dtype;
  Opcode opcode;  // sum or max
  int rank;
  Index extents[MAX_RANK];
  Index channels;
  Index elements;
  const Index* in_elements;
  const void* in;
  Index in_strides[MAX_RANK];
  void* out;  // what a window gives, or windows of the same form
  Index out_strides[MAX_RANK];
  const Index* out_elements;  // of share_max
  const void* part;           // the same: what the largest elements share
  Index part_strides[MAX_RANK];
};

// out[index] = in[index] for every index below `extents`. Strides count bytes; those of
// `in` may be 0. in and out don't overlap.
struct Copy {
  int item_size;  // 1, 4 or 8
  int rank;
  Index extents[MAX_RANK];
  const void* in;
  Index in_strides[MAX_RANK];
  void* out;
  Index out_strides[MAX_RANK];
};

struct Kernels {
  const char* name;  // "baseline", "avx2", "avx512" or "neon"

  // The function for an operation, or null if there is none. `in` is the dtype of the
  // numbers that it reads (of select: of the two that it chooses from; its condition is
  // boolean), `out` of those that it writes. Bit j of `fixed`: operand j is one element,
  // the same for every i.
  MapFunction (*map)(Opcode opcode, Dtype in, Dtype out, unsigned fixed);

  // Makes the link for an operation on float32 or float64; false if there is none. Bit j
  // of `flowing`: operand j is what is handed on; the others are the places, in order.
  // A comparison's last place is where its result goes; what it was handed, goes on.
  // Opcode::load (whose place is the operand) begins a chain, Opcode::end ends it.
  bool (*link)(Link& link, Opcode opcode, Dtype dtype, unsigned flowing, unsigned fixed);
  // Runs a chain of links made for this dtype on elements 0 … n-1. What it leaves may
  // be where it was read before.
  void (*run_chain)(Dtype dtype, Index n, const Link* links, std::byte* const* table);

  void (*product)(const Product& product);
  // Bytes of scratch that a product of this form wants; only dtype, m, n, k and the
  // strides are read. 0 is usual.
  std::size_t (*product_scratch)(const Product& product);
  // Bytes of b in the order in which tiles read it, for products that are made again and
  // again with the same b; 0 where that order brings nothing.
  std::size_t (*packed_bytes)(const Product& product);
  // Writes b in that order, 64-byte aligned, for products of all n columns.
  void (*pack_factor)(const Product& product, void* to);
  // Rows and columns of c that one tile of the product holds: cut between threads only
  // at their multiples. Every element of c has the same bits however c is cut.
  void (*product_tile)(const Product& product, Index* rows, Index* columns);
  // The same product, to the bit, where is_sparse says that it pays: most of a is 0, by a
  // sample, and b is finite. It wants scratch of its own; 0 if it takes no such product.
  std::size_t (*sparse_scratch)(const Product& product);
  bool (*is_sparse)(const Product& product);
  void (*sparse_product)(const Product& product);
  // The same product, to the bit, where a is a triangle of numbers or one transposed, and
  // b is finite. Else false, and c is as it was.
  bool (*triangle_product)(const Product& product);
  // Sums over windows where most of b is 0, by a sample, and a is finite: to the bit what
  // a product of the gathered windows gives. Else false, and c is as it was.
  bool (*sum_windows)(const WindowSum& sum);
  // The same for a product that is added to windows, where most of a is 0.
  bool (*spread_windows)(const WindowSpread& spread);
  std::size_t (*window_scratch)(Dtype dtype);

  void (*reduce)(const Reduction& reduction);
  // out[place] = reduction over e of in[place, e]
  void (*reduce_windows)(const Windows& windows);
  // out[place, e] = part[place] / count where in[place, e] is the largest of its window,
  // of which there are so many; else 0. float32 or float64.
  void (*share_max)(const Windows& windows);
  void (*copy)(const Copy& copy);
  // out[index] += in[index], in the order of the indices: elements of out may lie on each
  // other. The dtype's size is item_size.
  void (*add_copy)(Dtype dtype, const Copy& copy);
  // out[u, e] = in[u, e], in order, of so many units of so many elements; strides of in
  // count bytes. Along units or along elements in stands still; along elements it may be
  // without gaps instead. May write 64 bytes beyond what it is to write.
  void (*expand)(int item_size, Index units, Index unit, const void* in, Index in_unit,
                 Index in_element, void* out);
  // out[e] += in[e]
  void (*accumulate)(Dtype dtype, Index n, void* out, const void* in);

  // out[i, :] = table[indices[i], :]; false, with nothing promised about out, if an
  // index lies outside 0..rows-1. Rows are `row_bytes` long, `table_stride` bytes apart
  // in the table and adjacent in out.
  bool (*take)(Index count, Index row_bytes, const void* table, Index table_stride,
               Index rows, const std::int32_t* indices, void* out);
  bool (*take_wide)(Index count, Index row_bytes, const void* table, Index table_stride,
                    Index rows, const std::int64_t* indices, void* out);
  // out[indices[i], :] += x[i, :]; out has `rows` rows of `width` elements, adjacent.
  bool (*scatter_add)(Dtype dtype, Index count, Index width, const void* x,
                      const std::int32_t* indices, Index rows, void* out);
  // Elements first … first+n-1 of thalweg.program.random.random_bits.
  void (*random_bits)(std::uint32_t seed, std::uint32_t step, std::uint32_t operation,
                      Index first, Index n, std::uint32_t* out);
  // Whether all n numbers are finite; dtype float32 or float64.
  bool (*all_finite)(Dtype dtype, Index n, const void* in);
};

// The functions of the table above, in its order, as kernels/ calls them.
#define THALWEG_KERNELS(X) \
  X(map)                   \
  X(link)                  \
  X(run_chain)             \
  X(product)               \
  X(product_scratch)       \
  X(packed_bytes)          \
  X(pack_factor)           \
  X(product_tile)          \
  X(sparse_scratch)        \
  X(is_sparse)             \
  X(sparse_product)        \
  X(triangle_product)      \
  X(sum_windows)           \
  X(spread_windows)        \
  X(window_scratch)        \
  X(reduce)                \
  X(reduce_windows)        \
  X(share_max)             \
  X(copy)                  \
  X(add_copy)              \
  X(expand)                \
  X(accumulate)            \
  X(take)                  \
  X(take_wide)             \
  X(scatter_add)           \
  X(random_bits)           \
  X(all_finite)

// The table of one instruction set, or null where this build has none. Which of them the
// machine can run is for isa.h to say.
const Kernels* baseline_kernels();
const Kernels* avx2_kernels();
const Kernels* avx512_kernels();
const Kernels* neon_kernels();

}  // namespace thalweg
