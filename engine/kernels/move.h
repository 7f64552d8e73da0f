// Copies between strides, rows by their numbers, and what goes over whole arrays.
#pragma once

#include "kernels/reduce.h"
#include "kernels/table.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {

template <int bytes>
THALWEG_INLINE void copy_ends(char* out, const char* in, Index n) {
  struct {
    char data[bytes];
  } first, last;
  __builtin_memcpy(&first, in, bytes);
  __builtin_memcpy(&last, in + n - bytes, bytes);
  __builtin_memcpy(out, &first, bytes);
  __builtin_memcpy(out + n - bytes, &last, bytes);
}

// memcpy, without the call where there is little to copy.
THALWEG_INLINE void copy_bytes(void* out, const void* in, Index n) {
  if (n > 128) {
    __builtin_memcpy(out, in, static_cast<size_t>(n));
  } else if (n >= 16) {
    Index i = 0;
    for (; i + 16 < n; i += 16) {
      __builtin_memcpy((char*)out + i, (const char*)in + i, 16);
    }
    __builtin_memcpy((char*)out + n - 16, (const char*)in + n - 16, 16);
  } else if (n >= 8) {
    copy_ends<8>((char*)out, (const char*)in, n);
  } else if (n >= 4) {
    copy_ends<4>((char*)out, (const char*)in, n);
  } else {
    for (Index i = 0; i < n; ++i) ((char*)out)[i] = ((const char*)in)[i];
  }
}

// ---- strided copies

struct Axis {
  Index extent, in, out;  // strides in bytes
};

// The axes of a copy, longest steps of `out` first, with no axis of extent 1, and axes
// that are one walk through memory made one.
struct Axes {
  int rank = 0;
  Axis axes[MAX_RANK];

  void insert(const Axis& axis) {
    int i = rank++;
    for (; i > 0 && axes[i - 1].out < axis.out; --i) axes[i] = axes[i - 1];
    axes[i] = axis;
  }

  void append(const Axis& axis) { axes[rank++] = axis; }

  void merge() {
    int last = 0;
    for (int i = 1; i < rank; ++i) {
      const Axis& next = axes[i];
      Axis& before = axes[last];
      if (before.in == next.in * next.extent && before.out == next.out * next.extent) {
        before = {before.extent * next.extent, next.in, next.out};
      } else {
        axes[++last] = next;
      }
    }
    rank = rank == 0 ? 0 : last + 1;
  }
};

template <class T>
void fill(T* out, Index n, T value) {
  const Vector<T> lanes = repeat<Vector<T>>(value);
  Index i = 0;
  for (; i + LANES<T> <= n; i += LANES<T>) store(out + i, lanes);
  for (; i < n; ++i) out[i] = value;
}

template <class T>
void copy_line(char* out, const char* in, const Axis& axis) {
  if (axis.out == Index(sizeof(T)) && axis.in == Index(sizeof(T))) {
    copy_bytes(out, in, axis.extent * Index(sizeof(T)));
  } else if (axis.out == Index(sizeof(T)) && axis.in == 0) {
    fill((T*)out, axis.extent, *(const T*)in);
  } else {
    for (Index i = 0; i < axis.extent; ++i) {
      *(T*)(out + i * axis.out) = *(const T*)(in + i * axis.in);
    }
  }
}

// Runs of `bytes` to 2 · `bytes` bytes each, by their two ends.
template <int bytes>
void copy_short_runs(char* out, const char* in, const Axis& runs, Index n) {
  const Index count = runs.extent, to = runs.out, from = runs.in;
  for (Index i = 0; i < count; ++i, out += to, in += from) copy_ends<bytes>(out, in, n);
}

// What is adjacent in both, again and again.
inline void copy_runs(char* out, const char* in, const Axis& runs, Index n) {
  if (n >= 128 || n < 4) {
    for (Index i = 0; i < runs.extent; ++i)
      copy_bytes(out + i * runs.out, in + i * runs.in, n);
  } else if (n >= 64) {
    copy_short_runs<64>(out, in, runs, n);
  } else if (n >= 32) {
    copy_short_runs<32>(out, in, runs, n);
  } else if (n >= 16) {
    copy_short_runs<16>(out, in, runs, n);
  } else if (n >= 8) {
    copy_short_runs<8>(out, in, runs, n);
  } else {
    copy_short_runs<4>(out, in, runs, n);
  }
}

// A square of numbers, its rows made columns.
template <class T>
struct Square {
  static constexpr Index SIZE = 1;
  static THALWEG_INLINE void transpose(char* out, Index, const char* in, Index) {
    *(T*)out = *(const T*)in;
  }
};

template <>
struct Square<uint32_t> {
  static constexpr Index SIZE = 4;
  static THALWEG_INLINE void transpose(char* out, Index out_stride, const char* in,
                                       Index in_stride) {
    using V = Vector<uint32_t, 4>;
    const V a = load<V>(in), b = load<V>(in + in_stride);
    const V c = load<V>(in + 2 * in_stride), d = load<V>(in + 3 * in_stride);
    const V ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const V ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const V cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const V cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    store(out, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
    store(out + out_stride, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
    store(out + 2 * out_stride, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
    store(out + 3 * out_stride, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
  }
};

template <>
struct Square<uint64_t> {
  static constexpr Index SIZE = 2;
  static THALWEG_INLINE void transpose(char* out, Index out_stride, const char* in,
                                       Index in_stride) {
    using V = Vector<uint64_t, 2>;
    const V a = load<V>(in), b = load<V>(in + in_stride);
    store(out, __builtin_shufflevector(a, b, 0, 2));
    store(out + out_stride, __builtin_shufflevector(a, b, 1, 3));
  }
};

// Two axes: `along` is adjacent in `in`, `across` in `out`.
template <class T>
THALWEG_INLINE void transpose_tile(char* out, const char* in, const Axis& along,
                                   const Axis& across) {
  constexpr Index S = Square<T>::SIZE, B = sizeof(T);
  const Index rows = along.extent - along.extent % S;
  const Index columns = across.extent - across.extent % S;
  for (Index i = 0; i < rows; i += S) {
    for (Index j = 0; j < columns; j += S) {
      Square<T>::transpose(out + i * along.out + j * B, along.out,
                           in + i * B + j * across.in, across.in);
    }
  }
  for (Index i = 0; i < along.extent; ++i) {
    for (Index j = i < rows ? columns : 0; j < across.extent; ++j) {
      *(T*)(out + i * along.out + j * B) = *(const T*)(in + i * B + j * across.in);
    }
  }
}

// In tiles of a cache line a side.
template <class T>
void transpose(char* out, const char* in, const Axis& along, const Axis& across) {
  constexpr Index TILE = 16;
  for (Index i = 0; i < along.extent; i += TILE) {
    for (Index j = 0; j < across.extent; j += TILE) {
      const Index rows = along.extent - i < TILE ? along.extent - i : TILE;
      const Index columns = across.extent - j < TILE ? across.extent - j : TILE;
      transpose_tile<T>(out + i * along.out + j * across.out,
                        in + i * along.in + j * across.in, {rows, along.in, along.out},
                        {columns, across.in, across.out});
    }
  }
}

// The axis, other than the last, that is adjacent in `in` while the last is in `out`.
template <class T>
int transposed_axis(const Axes& axes) {
  const Axis& last = axes.axes[axes.rank - 1];
  if (last.out != Index(sizeof(T)) || last.in <= Index(sizeof(T))) return -1;
  for (int i = axes.rank - 2; i >= 0; --i) {
    if (axes.axes[i].in == Index(sizeof(T))) return i;
  }
  return -1;
}

template <class T>
void copy_axes(const Axes& axes, int axis, int along, char* out, const char* in) {
  if (axis == along) return copy_axes<T>(axes, axis + 1, along, out, in);
  const Axis& here = axes.axes[axis];
  if (axis == axes.rank - 1) {
    if (along >= 0) return transpose<T>(out, in, axes.axes[along], here);
    return copy_line<T>(out, in, here);
  }
  const Axis& last = axes.axes[axes.rank - 1];
  if (axis == axes.rank - 2 && last.in == Index(sizeof(T)) && last.out == last.in)
    return copy_runs(out, in, here, last.extent * last.in);
  for (Index i = 0; i < here.extent; ++i) {
    copy_axes<T>(axes, axis + 1, along, out + i * here.out, in + i * here.in);
  }
}

template <class T>
void copy_items(const Axes& axes, void* out, const void* in) {
  copy_axes<T>(axes, 0, transposed_axis<T>(axes), (char*)out, (const char*)in);
}

// The axes of what is copied, in their own order or in that of memory; false where it is
// nothing.
inline bool enter_axes(const Copy& copy, Axes& axes, bool in_order) {
  for (int i = 0; i < copy.rank; ++i) {
    if (copy.extents[i] == 0) return false;
    if (copy.extents[i] == 1) continue;
    const Axis axis{copy.extents[i], copy.in_strides[i], copy.out_strides[i]};
    in_order ? axes.append(axis) : axes.insert(axis);
  }
  axes.merge();
  if (axes.rank == 0) axes.insert({1, copy.item_size, copy.item_size});
  return true;
}

inline void copy(const Copy& copy) {
  Axes axes;
  if (!enter_axes(copy, axes, false)) return;
  switch (copy.item_size) {
    case 8: return copy_items<uint64_t>(axes, copy.out, copy.in);
    case 4: return copy_items<uint32_t>(axes, copy.out, copy.in);
    default: return copy_items<uint8_t>(axes, copy.out, copy.in);
  }
}

// ---- numbers and rows that are repeated

// Whole vectors, in order: what one writes too far, the next one overwrites.
template <class T>
void repeat_numbers(Index units, Index unit, const char* in, Index in_unit, T* out) {
  for (Index u = 0; u < units; ++u, in += in_unit, out += unit) {
    const Vector<T> number = repeat<Vector<T>>(*(const T*)in);
    for (Index e = 0; e < unit; e += LANES<T>) store(out + e, number);
  }
}

template <class T>
void repeat_row(Index units, Index unit, const T* in, T* out) {
  using V = Vector<T>;
  const Index last = (unit - 1) / LANES<T> * LANES<T>;
  const Index count = unit - last;
  const V end = count == LANES<T> ? load<V>(in + last) : load_part<V>(in + last, count);
  for (Index u = 0; u < units; ++u, out += unit) {
    for (Index e = 0; e < last; e += LANES<T>) store(out + e, load<V>(in + e));
    store(out + last, end);
  }
}

template <class T>
void expand_items(Index units, Index unit, const void* in, Index in_unit, Index in_element,
                  void* out) {
  in_element == 0 ? repeat_numbers(units, unit, (const char*)in, in_unit, (T*)out)
                  : repeat_row(units, unit, (const T*)in, (T*)out);
}

inline void expand(int item_size, Index units, Index unit, const void* in, Index in_unit,
                   Index in_element, void* out) {
  switch (item_size) {
    case 8: return expand_items<uint64_t>(units, unit, in, in_unit, in_element, out);
    case 4: return expand_items<uint32_t>(units, unit, in, in_unit, in_element, out);
    default: return expand_items<uint8_t>(units, unit, in, in_unit, in_element, out);
  }
}

// ---- rows by their numbers

// A row's number, or `rows` if there is no such row. It is loaded once: another thread of
// the caller's may write over it between a check and a use.
template <class Number>
THALWEG_INLINE Index row_number(const Number* number, Index rows) {
  const Index row = *(const volatile Number*)number;
  return static_cast<uint64_t>(row) < static_cast<uint64_t>(rows) ? row : rows;
}

THALWEG_INLINE void prefetch_row(const char* row, Index row_bytes) {
  const Index bytes = row_bytes < 1024 ? row_bytes : 1024;
  for (Index i = 0; i < bytes; i += 64) __builtin_prefetch(row + i);
}

// How many rows ahead to fetch: about 2 KB, which hides what main memory takes.
inline Index rows_ahead(Index row_bytes) {
  const Index rows = 2048 / (row_bytes + 1);
  return rows < 2 ? 2 : rows > 32 ? 32 : rows;
}

template <class Number>
bool take_rows(Index count, Index row_bytes, const void* table, Index table_stride,
               Index rows, const Number* indices, void* out) {
  const char* from = (const char*)table;
  char* to = (char*)out;
  const Index ahead = rows_ahead(row_bytes);
  for (Index i = 0; i < count; ++i) {
    if (i + ahead < count) {
      const Index next = row_number(indices + i + ahead, rows);
      if (next < rows) prefetch_row(from + next * table_stride, row_bytes);
    }
    const Index row = row_number(indices + i, rows);
    if (row == rows) return false;
    copy_bytes(to + i * row_bytes, from + row * table_stride, row_bytes);
  }
  return true;
}

inline bool take(Index count, Index row_bytes, const void* table, Index table_stride,
                 Index rows, const int32_t* indices, void* out) {
  return take_rows(count, row_bytes, table, table_stride, rows, indices, out);
}

inline bool take_wide(Index count, Index row_bytes, const void* table, Index table_stride,
                      Index rows, const int64_t* indices, void* out) {
  return take_rows(count, row_bytes, table, table_stride, rows, indices, out);
}

template <class T>
bool scatter_add_rows(Index count, Index width, const T* x, const int32_t* indices,
                      Index rows, T* out) {
  for (Index i = 0; i < count; ++i) {
    const Index number = row_number(indices + i, rows);
    if (number == rows) return false;
    T* row = out + number * width;
    map2<Add, T, 0, T, T>(width, row, row, x + i * width, nullptr);
  }
  return true;
}

inline bool scatter_add(Dtype dtype, Index count, Index width, const void* x,
                        const int32_t* indices, Index rows, void* out) {
  switch (dtype) {
    case Dtype::float32:
      return scatter_add_rows(count, width, (const float*)x, indices, rows, (float*)out);
    case Dtype::float64:
      return scatter_add_rows(count, width, (const double*)x, indices, rows, (double*)out);
    default:
      return scatter_add_rows(count, width, (const uint32_t*)x, indices, rows,
                              (uint32_t*)out);
  }
}

// ---- whole arrays

inline void accumulate(Dtype dtype, Index n, void* out, const void* in) {
  map(Opcode::add, dtype, dtype, 0)(n, out, out, in, nullptr);
}

// A number is finite where its exponent is not all ones.
template <class T>
bool all_finite_of(Index n, const T* in) {
  using V = Vector<T>;
  using W = Whole<V>;
  const W exponent = (W)repeat<V>(Numbers<T>::INFINITE);
  constexpr Index N = LANES<T>, STRETCH = 256 * N;
  for (Index i = 0; i < n; i += STRETCH) {
    const Index end = n - i < STRETCH ? n : i + STRETCH;
    W infinite{};
    Index j = i;
    for (; j + N <= end; j += N) {
      infinite |= (W)((load<W>(in + j) & exponent) == exponent);
    }
    if (j < end) {
      infinite |= (W)((load_part<W>(in + j, end - j) & exponent) == exponent);
    }
    if (!all(~infinite)) return false;
  }
  return true;
}

inline bool all_finite(Dtype dtype, Index n, const void* in) {
  return dtype == Dtype::float64 ? all_finite_of(n, (const double*)in)
                                 : all_finite_of(n, (const float*)in);
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
