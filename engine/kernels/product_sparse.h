// The matrix product where most of a is 0, as in images and columns of categories.
//
// 0 times a finite number adds nothing. What is left are the sums of product.h in their
// order, and so the same bits: which of the two ways a product goes, nobody can tell.
#pragma once

#include "kernels/chain.h"
#include "kernels/move.h"
#include "kernels/product.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {
namespace products {

constexpr Index SAMPLES = 64, MOST_NONZERO = 20;
constexpr Index SAMPLE_STEP = 7919;                   // a prime, to meet all columns alike
constexpr Index LEAST_PRODUCTS = 128 * 1024;          // for less a sample takes too long
constexpr int SPARSE_ROWS = 128, SPARSE_VECTORS = 8;  // that are summed at a time

// A number of the size of T.
template <class T>
struct PlaceOf {
  using type = int32_t;
};
template <>
struct PlaceOf<double> {
  using type = int64_t;
};

// Of one row of a, in a block of neighboring l, the numbers that aren't 0.
template <class T>
struct Nonzeros {
  using Place = typename PlaceOf<T>::type;
  static constexpr Index ROOM = BLOCK_DEPTH + LANES<T>;  // whole vectors are written
  Index count;
  T numbers[ROOM];
  Place places[ROOM];  // l, from the block's first

  // Adds some lanes to so many; how many there are then.
  THALWEG_INLINE Index add(Index known, Index l, Vector<T> lanes) {
    unsigned bits = lane_bits<T>(lanes != Vector<T>{});
#if defined(__AVX2__)
    store(numbers + known, first_of(lanes, bits));
    store(places + known, first_of(counting<Place>() + Place(l), bits));
    return known + __builtin_popcount(bits);
#else
    for (; bits; bits &= bits - 1) {
      const int lane = __builtin_ctz(bits);
      numbers[known] = lanes[lane];
      places[known++] = Place(l + lane);
    }
    return known;
#endif
  }
};

// In a row whose numbers are adjacent.
template <class T>
void find(const T* a, Index depth, Nonzeros<T>& found) {
  using V = Vector<T>;
  constexpr int N = LANES<T>;
  Index known = 0, l = 0;
  for (; l + N <= depth; l += N) known = found.add(known, l, load<V>(a + l));
  if (l < depth)
    known = found.add(known, l, thalweg::THALWEG_VARIANT::load_part<V>(a + l, depth - l));
  found.count = known;
}

// One row of c, in a strip's columns.
template <class T, int VECTORS>
void sum_row(const Strip<T>& strip, const Nonzeros<T>& found, Index row) {
  constexpr int N = LANES<T>;
  using V = Vector<T>;
  V sums[VECTORS] = {};
  for (Index i = 0; i < found.count; ++i) {
    const V factor = repeat<V>(found.numbers[i]);
    const T* b = strip.b + found.places[i] * strip.b_row;
    THALWEG_UNROLL
    for (int v = 0; v < VECTORS; ++v) {
      const V line = load<V>(b + (v < VECTORS - 1 ? v * N : strip.b_last));
      sums[v] = multiply_add(factor, line, sums[v]);
    }
  }
  const T* addend = strip.addend ? strip.addend + row * strip.addend_row : nullptr;
  THALWEG_UNROLL
  for (int v = 0; v < VECTORS; ++v)
    sums[v] += addend ? load<V>(addend + (v < VECTORS - 1 ? v * N : strip.c_last)) : V{};
  T* c = strip.c + row * strip.c_row;
  THALWEG_UNROLL
  for (int v = 0; v < VECTORS; ++v)
    store(c + (v < VECTORS - 1 ? v * N : strip.c_last), sums[v]);
}

template <class T, int VECTORS>
void sum_rows(const Strip<T>& strip, const Nonzeros<T>* found, Index vectors) {
  if constexpr (VECTORS > 1)
    if (vectors < VECTORS) return sum_rows<T, VECTORS - 1>(strip, found, vectors);
  for (Index row = 0; row < strip.rows; ++row) sum_row<T, VECTORS>(strip, found[row], row);
}

// Rows that are adjacent themselves, each in one piece.
template <class T>
void copy_across(const T* a, Index a_column, Index rows, Index depth, T* to) {
  constexpr int N = LANES<T>;
  constexpr Index ROW = Form<T>::A_ROW;
  if (depth >= N)
    return pack<T, N>({a, 1, a_column, rows, parts(depth, N), depth - N},
                      {to, ROW, depth - N});
  for (Index i = 0; i < rows; ++i)
    for (Index l = 0; l < depth; ++l) to[i * ROW + l] = a[i + l * a_column];
}

// What a sparse product keeps in scratch.
template <class T>
struct SparseWork {
  T copy[SPARSE_ROWS * Form<T>::A_ROW];
  T panel[BLOCK_DEPTH * SPARSE_VECTORS * LANES<T>];
  Nonzeros<T> found[SPARSE_ROWS];
};

template <class T>
void find_rows(const Typed<T>& p, const Block<T>& block, Index row, Index rows,
               SparseWork<T>& work) {
  const T* a = p.a + row * p.a_row + block.l * p.a_column;
  Index a_row = p.a_row;
  if (p.a_column != 1) {
    copy_across(a, p.a_column, rows, block.depth, work.copy);
    a = work.copy;
    a_row = Form<T>::A_ROW;
  }
  for (Index i = 0; i < rows; ++i) find(a + i * a_row, block.depth, work.found[i]);
}

// Some rows of c.
template <class T>
void sum_block(const Typed<T>& p, const Block<T>& block, Index row, Index rows,
               SparseWork<T>& work) {
  constexpr int N = LANES<T>;
  const Split chunks(block.vectors, parts(block.vectors, SPARSE_VECTORS));
  for (Index chunk = 0; chunk < chunks.count; ++chunk) {
    const Index width = chunks.size(chunk);
    Strip<T> strip = strip_of<T, N>(p, block, chunks.begin(chunk), width);
    // A vector that lies in two lines of a cache takes two reads.
    if ((uintptr_t(strip.b) | uintptr_t(p.b_row * sizeof(T))) % THALWEG_VECTOR_BYTES) {
      fill_panel<T, N>(strip, 1, width, work.panel);
      use_panel<T, N>(strip, width, work.panel);
    }
    strip.c += row * p.c_row;
    if (strip.addend) strip.addend += row * strip.addend_row;
    strip.rows = rows;
    sum_rows<T, SPARSE_VECTORS>(strip, work.found, width);
  }
}

template <class T>
void run_sparse(const Product& product) {
  const Typed<T> p(product);
  auto& work = *static_cast<SparseWork<T>*>(product.scratch);
  for (Index l = 0; l < p.k; l += BLOCK_DEPTH) {
    const Block<T> block{0, parts(p.n, LANES<T>), l, smaller(BLOCK_DEPTH, p.k - l)};
    for (Index row = 0; row < p.m; row += SPARSE_ROWS) {
      const Index rows = smaller(SPARSE_ROWS, p.m - row);
      find_rows(p, block, row, rows, work);
      sum_block(p, block, row, rows, work);
    }
  }
}

template <class T>
bool is_mostly_zero(const Typed<T>& p) {
  const Index step = SAMPLE_STEP % p.k;
  Index nonzero = 0, l = 0;
  for (Index i = 0; i < SAMPLES; ++i) {
    nonzero += p.at(i * p.m / SAMPLES, l) != 0;
    l += step;
    if (l >= p.k) l -= p.k;
  }
  return nonzero <= MOST_NONZERO;
}

template <class T>
bool fits_sparse(const Typed<T>& p) {
  const bool near = p.a_at || p.a_column == 1 || p.a_row == 1;
  return !p.b_at && p.b_column == 1 && near && p.n >= LANES<T> &&
         p.m * p.n * p.k >= LEAST_PRODUCTS;
}

template <class T>
bool pays_sparse(const Product& product) {
  const Typed<T> p(product);
  if (!fits_sparse(p) || !is_mostly_zero(p)) return false;
  for (Index l = 0; l < p.k; ++l)  // 0 times infinity is NaN, which must be seen
    if (!all_finite_of(p.n, p.b + l * p.b_row)) return false;
  return true;
}

}  // namespace products

inline std::size_t sparse_scratch(const Product& p) {
  if (p.dtype == Dtype::float64)
    return products::fits_sparse(products::Typed<double>(p))
               ? sizeof(products::SparseWork<double>)
               : 0;
  return products::fits_sparse(products::Typed<float>(p))
             ? sizeof(products::SparseWork<float>)
             : 0;
}

inline bool is_sparse(const Product& p) {
  return p.dtype == Dtype::float64 ? products::pays_sparse<double>(p)
                                   : products::pays_sparse<float>(p);
}

inline void sparse_product(const Product& p) {
  p.dtype == Dtype::float64 ? products::run_sparse<double>(p)
                            : products::run_sparse<float>(p);
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
