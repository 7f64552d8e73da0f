// Sums, maxima and their positions.
//
// The order in which numbers are added depends only on how many there are and whether
// they are adjacent, never on the rows and columns around them.
#pragma once

#include "kernels/vector.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {

template <class T>
struct Limits;
template <>
struct Limits<float> {
  static constexpr float LOWEST = -__builtin_inff();
  using Position = int32_t;
};
template <>
struct Limits<double> {
  static constexpr double LOWEST = -__builtin_inf();
  using Position = int64_t;
};
template <>
struct Limits<int32_t> {
  static constexpr int32_t LOWEST = INT32_MIN;
  using Position = int32_t;
};
template <>
struct Limits<uint32_t> {
  static constexpr uint32_t LOWEST = 0;
  using Position = int32_t;
};

struct Sum {
  template <class T>
  static constexpr T start() {
    return T(0);
  }
  template <class V>
  static THALWEG_INLINE V of(V a, V b) {
    return a + b;
  }
};

struct Max {
  template <class T>
  static constexpr T start() {
    return Limits<T>::LOWEST;
  }
  template <class V>
  static THALWEG_INLINE V of(V a, V b) {
    return maximum(a, b);
  }
};

template <class P>
THALWEG_INLINE P* moved(P* pointer, Index bytes) {
  return (P*)((uintptr_t)pointer + (uintptr_t)bytes);
}

// The first `count` lanes from memory, `start` in the others.
template <class T>
THALWEG_INLINE Vector<T> load_filled(const T* from, Index count, T start) {
  using Position = typename Limits<T>::Position;
  const Vector<T> part = load_part<Vector<T>>(from, count);
  const auto kept = counting<Position>() < repeat<Vector<Position>>(Position(count));
  return kept ? part : repeat<Vector<T>>(start);
}

// One number from all lanes, by halves.
template <class F, class T, int N>
THALWEG_INLINE T fold(Vector<T, N> lanes) {
  if constexpr (N == 2) {
    return F::of(Vector<T, 2>{lanes[0], T(0)}, Vector<T, 2>{lanes[1], T(0)})[0];
  } else {
    Vector<T, N / 2> halves[2];
    __builtin_memcpy(halves, &lanes, sizeof(lanes));
    return fold<F, T, N / 2>(F::of(halves[0], halves[1]));
  }
}

// ---- along adjacent numbers

// Four vectors at a time, in blocks so short that rounding errors stay small.
inline constexpr Index BLOCK = 64;

template <class F, class T>
THALWEG_INLINE Vector<T> reduce_block(const T* in, Index steps) {
  using V = Vector<T>;
  constexpr Index N = LANES<T>;
  V sums[4];
  for (int j = 0; j < 4; ++j) sums[j] = load<V>(in + j * N);
  for (Index i = 1; i < steps; ++i) {
    for (int j = 0; j < 4; ++j) {
      sums[j] = F::of(sums[j], load<V>(in + (4 * i + j) * N));
    }
  }
  return F::of(F::of(sums[0], sums[1]), F::of(sums[2], sums[3]));
}

template <class F, class T>
THALWEG_INLINE T reduce_row(const T* in, Index length) {
  using V = Vector<T>;
  constexpr Index N = LANES<T>;
  V total = repeat<V>(F::template start<T>());
  Index i = 0;
  while (length - i >= 4 * N) {
    const Index left = (length - i) / (4 * N);
    const Index steps = left < BLOCK ? left : BLOCK;
    total = F::of(total, reduce_block<F>(in + i, steps));
    i += steps * 4 * N;
  }
  for (; i + N <= length; i += N) total = F::of(total, load<V>(in + i));
  if (i < length) {
    total = F::of(total, load_filled(in + i, length - i, F::template start<T>()));
  }
  return fold<F, T, LANES<T>>(total);
}

template <class T>
THALWEG_INLINE void put(T* out, T value, bool accumulate) {
  *out = accumulate ? *out + value : value;
}

// ---- along short rows: a lane for each of four rows

inline constexpr Index SHORT = 32;
inline constexpr int ROWS_AT_ONCE = 4;

// Four rows, read column after column.
template <class T>
struct ShortRows {
  using V = Vector<T, ROWS_AT_ONCE>;
  const T* rows[ROWS_AT_ONCE];
  // Columns j … j+3.
  THALWEG_INLINE void columns(Index j, V (&out)[4]) const {
    const V a = load<V>(rows[0] + j), b = load<V>(rows[1] + j);
    const V c = load<V>(rows[2] + j), d = load<V>(rows[3] + j);
    const V ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const V ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const V cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const V cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    out[0] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    out[1] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    out[2] = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    out[3] = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
  }
  template <class Work>
  THALWEG_INLINE void each_column(Index length, Work& work) const {
    Index j = 0;
    for (; j + 4 <= length; j += 4) {
      V four[4];
      columns(j, four);
      THALWEG_UNROLL
      for (int k = 0; k < 4; ++k) work.take(four[k], j + k);
    }
    for (; j < length; ++j) {
      const V one{rows[0][j], rows[1][j], rows[2][j], rows[3][j]};
      work.take(one, j);
    }
  }
};

template <class F, class T>
struct ShortReduction {
  using Out = T;
  using V = Vector<T, ROWS_AT_ONCE>;
  V result = V{} + F::template start<T>();
  THALWEG_INLINE void take(const V& numbers, Index) { result = F::of(result, numbers); }
};

template <class T>
struct ShortArgmax {
  using Out = int32_t;
  using V = Vector<T, ROWS_AT_ONCE>;
  using Position = typename Limits<T>::Position;
  using P = Vector<Position, ROWS_AT_ONCE>;
  V best;
  P result{};
  THALWEG_INLINE void take(const V& numbers, Index j) {
    if (j == 0) best = numbers;
    const P above = (P)(numbers > best) | (P)(numbers != numbers);
    const P better = above & (P)(best == best);
    result = better ? P{} + Position(j) : result;
    best = better ? numbers : best;
  }
};

// Four rows at a time; where there are fewer, the last one again.
template <class Work, class T>
void reduce_short_line(const Reduction& r, const T* in, typename Work::Out* out) {
  using Out = typename Work::Out;
  for (Index o = 0; o < r.outer; o += ROWS_AT_ONCE) {
    const Index left = r.outer - o;
    ShortRows<T> rows;
    for (int k = 0; k < ROWS_AT_ONCE; ++k) {
      rows.rows[k] = moved(in, (o + (k < left ? k : left - 1)) * r.in_outer);
    }
    Work work;
    rows.each_column(r.length, work);
    for (int k = 0; k < ROWS_AT_ONCE && k < left; ++k) {
      put(moved(out, (o + k) * r.out_outer), Out(work.result[k]), r.accumulate);
    }
  }
}

inline Reduction with_inner_outside(const Reduction& r) {
  Reduction swapped = r;
  swapped.outer = r.inner;
  swapped.inner = r.outer;
  swapped.in_outer = r.in_inner;
  swapped.in_inner = r.in_outer;
  swapped.out_outer = r.out_inner;
  swapped.out_inner = r.out_outer;
  return swapped;
}

template <class Work, class T>
void reduce_short_rows(const Reduction& reduction) {
  const Reduction r = reduction.outer == 1 ? with_inner_outside(reduction) : reduction;
  for (Index i = 0; i < r.inner; ++i) {
    reduce_short_line<Work>(r, moved((const T*)r.in, i * r.in_inner),
                            moved((typename Work::Out*)r.out, i * r.out_inner));
  }
}

template <class F, class T>
void reduce_rows(const Reduction& r) {
  for (Index o = 0; o < r.outer; ++o) {
    for (Index i = 0; i < r.inner; ++i) {
      const T* in = moved((const T*)r.in, o * r.in_outer + i * r.in_inner);
      T* out = moved((T*)r.out, o * r.out_outer + i * r.out_inner);
      put(out, reduce_row<F>(in, r.length), r.accumulate);
    }
  }
}

// The first position of `value`, which is there; NaN equals NaN.
template <class T>
THALWEG_INLINE Index find(const T* in, Index length, T value) {
  using V = Vector<T>;
  using M = Vector<typename Limits<T>::Position>;
  constexpr Index N = LANES<T>;
  const V wanted = repeat<V>(value);
  const M nan = (M)(wanted != wanted);
  Index i = 0;
  for (; i + N <= length; i += N) {
    const V numbers = load<V>(in + i);
    const M found = (M)(numbers == wanted) | ((M)(numbers != numbers) & nan);
    if (!all(~found)) break;
  }
  for (; i < length; ++i) {
    if (in[i] == value || (in[i] != in[i] && value != value)) return i;
  }
  return 0;
}

template <class T>
void argmax_rows(const Reduction& r) {
  for (Index o = 0; o < r.outer; ++o) {
    for (Index i = 0; i < r.inner; ++i) {
      const T* in = moved((const T*)r.in, o * r.in_outer + i * r.in_inner);
      const T largest = reduce_row<Max>(in, r.length);
      int32_t* out = moved((int32_t*)r.out, o * r.out_outer + i * r.out_inner);
      *out = (int32_t)find(in, r.length, largest);
    }
  }
}

// ---- across rows: a lane for every column

// Some columns of all rows. Whole vectors lie adjacent in memory; a part has `count`
// columns, `stride` bytes apart.
template <class T>
struct WholeColumns {
  THALWEG_INLINE Vector<T> load_from(const T* row, int vector) const {
    return load<Vector<T>>(row + vector * LANES<T>);
  }
};

template <class T>
struct PartOfColumns {
  Index count, stride;
  THALWEG_INLINE Vector<T> load_from(const T* row, int) const {
    if (stride == Index(sizeof(T))) {
      if (count == LANES<T>) return load<Vector<T>>(row);
      return load_part<Vector<T>>(row, count);
    }
    Vector<T> result{};
    for (int i = 0; i < count; ++i) result[i] = *moved(row, i * stride);
    return result;
  }
};

// Every column's number becomes that of this block of rows, or of it and the one there.
template <class F, class T, class V>
THALWEG_INLINE void put_lanes(T* out, Index stride, Index count, V values, bool join) {
  if (stride == Index(sizeof(T)) && count == LANES<T>) {
    store(out, join ? F::of(load<V>(out), values) : values);
    return;
  }
  V before{};
  for (int i = 0; join && i < count; ++i) before[i] = *moved(out, i * stride);
  const V after = join ? F::of(before, values) : values;
  for (int i = 0; i < count; ++i) *moved(out, i * stride) = after[i];
}

// Row l goes to sum l mod 4, so that additions need not wait for each other.
template <class F, class T, int vectors, class Columns>
THALWEG_INLINE void reduce_block_of_rows(const Columns& columns, const T* in, Index rows,
                                         Index row_stride, Vector<T>* results) {
  using V = Vector<T>;
  V sums[4][vectors];
  const bool is_far = row_stride > 1024;  // the machine fetches ahead what is nearer
  THALWEG_UNROLL
  for (int j = 0; j < 4; ++j) {
    THALWEG_UNROLL
    for (int v = 0; v < vectors; ++v) sums[j][v] = repeat<V>(F::template start<T>());
  }
  Index l = 0;
  for (; l + 4 <= rows; l += 4) {
    THALWEG_UNROLL
    for (int j = 0; j < 4; ++j) {
      const T* row = moved(in, (l + j) * row_stride);
      THALWEG_UNROLL
      for (int v = 0; v < vectors; ++v) {
        if (is_far) __builtin_prefetch(moved(row + v * LANES<T>, 16 * row_stride));
        sums[j][v] = F::of(sums[j][v], columns.load_from(row, v));
      }
    }
  }
  THALWEG_UNROLL
  for (int j = 0; j < 3; ++j) {
    if (l + j >= rows) break;
    const T* row = moved(in, (l + j) * row_stride);
    THALWEG_UNROLL
    for (int v = 0; v < vectors; ++v) {
      sums[j][v] = F::of(sums[j][v], columns.load_from(row, v));
    }
  }
  for (int v = 0; v < vectors; ++v) {
    results[v] = F::of(F::of(sums[0][v], sums[1][v]), F::of(sums[2][v], sums[3][v]));
  }
}

// Some of the rows, all columns of them, so that memory is read in order.
template <class F, class T, int vectors, class Columns>
THALWEG_INLINE void reduce_some_columns(const Columns& columns, const Reduction& r,
                                        const T* in, T* out, Index count) {
  Vector<T> results[vectors];
  reduce_block_of_rows<F, T, vectors>(columns, in, r.length, r.in_length, results);
  for (int v = 0; v < vectors; ++v) {
    put_lanes<F>(moved(out, v * LANES<T> * r.out_inner), r.out_inner, count, results[v],
                 r.accumulate);
  }
}

template <class F, class T>
void reduce_columns_of_block(const Reduction& r, const T* in, T* out) {
  constexpr Index N = LANES<T>;
  constexpr int WIDE = THALWEG_VECTOR_BYTES == 64 ? 4 : 2;
  const bool adjacent = r.in_inner == Index(sizeof(T));
  Index i = 0;
  for (; adjacent && i + WIDE * N <= r.inner; i += WIDE * N) {
    reduce_some_columns<F, T, WIDE>(WholeColumns<T>{}, r, in + i,
                                    moved(out, i * r.out_inner), N);
  }
  for (; adjacent && i + N <= r.inner; i += N) {
    reduce_some_columns<F, T, 1>(WholeColumns<T>{}, r, in + i, moved(out, i * r.out_inner),
                                 N);
  }
  for (; i < r.inner; i += N) {
    const Index count = r.inner - i < N ? r.inner - i : N;
    reduce_some_columns<F, T, 1>(PartOfColumns<T>{count, r.in_inner}, r,
                                 moved(in, i * r.in_inner), moved(out, i * r.out_inner),
                                 count);
  }
}

template <class F, class T>
void reduce_columns(const Reduction& r) {
  constexpr Index ROWS = 4 * BLOCK;
  for (Index o = 0; o < r.outer; ++o) {
    const T* in = moved((const T*)r.in, o * r.in_outer);
    T* out = moved((T*)r.out, o * r.out_outer);
    Index l = 0;
    do {
      Reduction block = r;
      block.length = r.length - l < ROWS ? r.length - l : ROWS;
      block.accumulate = r.accumulate || l > 0;
      reduce_columns_of_block<F>(block, moved(in, l * r.in_length), out);
      l += ROWS;
    } while (l < r.length);
  }
}

template <class T>
THALWEG_INLINE void argmax_some_columns(const Reduction& r, const T* in, int32_t* out,
                                        Index count) {
  using V = Vector<T>;
  using Position = typename Limits<T>::Position;
  using P = Vector<Position>;
  const PartOfColumns<T> columns{count, r.in_inner};
  V best = columns.load_from(in, 0);
  P where{};
  for (Index l = 1; l < r.length; ++l) {
    const V numbers = columns.load_from(moved(in, l * r.in_length), 0);
    const P above = (P)(numbers > best) | (P)(numbers != numbers);
    const P better = above & (P)(best == best);
    where = better ? repeat<P>(Position(l)) : where;
    best = better ? numbers : best;
  }
  for (int i = 0; i < count; ++i) *moved(out, i * r.out_inner) = (int32_t)where[i];
}

template <class T>
void argmax_columns(const Reduction& r) {
  for (Index o = 0; o < r.outer; ++o) {
    for (Index i = 0; i < r.inner; i += LANES<T>) {
      const Index left = r.inner - i;
      argmax_some_columns(r, moved((const T*)r.in, o * r.in_outer + i * r.in_inner),
                          moved((int32_t*)r.out, o * r.out_outer + i * r.out_inner),
                          left < LANES<T> ? left : LANES<T>);
    }
  }
}

// ---- which of them

// The same reduction with the adjacent numbers of a row as its inner ones.
inline Reduction with_adjacent_inside(const Reduction& r, Index size) {
  const bool swap = r.in_length != size && r.in_outer == size && r.in_inner != size;
  if (!swap && !(r.in_length != size && r.inner == 1)) return r;
  return with_inner_outside(r);
}

template <class T>
void reduce_positions(const Reduction& r) {
  if (r.in_length != Index(sizeof(T))) return argmax_columns<T>(r);
  r.length <= SHORT ? reduce_short_rows<ShortArgmax<T>, T>(r) : argmax_rows<T>(r);
}

template <class F, class T>
void reduce_by(const Reduction& r) {
  if (r.in_length != Index(sizeof(T))) return reduce_columns<F, T>(r);
  r.length <= SHORT ? reduce_short_rows<ShortReduction<F, T>, T>(r) : reduce_rows<F, T>(r);
}

inline void reduce(const Reduction& reduction) {
  const Reduction r = with_adjacent_inside(reduction, item_size(reduction.dtype));
  switch (r.dtype) {
    case Dtype::float32:
      return r.opcode == Opcode::sum   ? reduce_by<Sum, float>(r)
             : r.opcode == Opcode::max ? reduce_by<Max, float>(r)
                                       : reduce_positions<float>(r);
    case Dtype::float64:
      return r.opcode == Opcode::sum   ? reduce_by<Sum, double>(r)
             : r.opcode == Opcode::max ? reduce_by<Max, double>(r)
                                       : reduce_positions<double>(r);
    case Dtype::int32:
      return r.opcode == Opcode::sum   ? reduce_by<Sum, uint32_t>(r)
             : r.opcode == Opcode::max ? reduce_by<Max, int32_t>(r)
                                       : reduce_positions<int32_t>(r);
    case Dtype::uint32:
      return r.opcode == Opcode::sum   ? reduce_by<Sum, uint32_t>(r)
             : r.opcode == Opcode::max ? reduce_by<Max, uint32_t>(r)
                                       : reduce_positions<uint32_t>(r);
    default: return;
  }
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
