// Small windows of an array: reduced, and what is shared among their largest elements.
//
// The channels of a place are adjacent, and all elements of a window are read while it is
// at hand. The gradient of a pooling reads and writes every number once.
#pragma once

#include "kernels/chain.h"
#include "kernels/move.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {
namespace windows {

// Where a place's numbers lie.
struct At {
  const char* in;
  char* out;
  const char* part;
};

// Fewer adjacent numbers than a vector of the instruction set holds.
template <class T, int COUNT>
struct Few {
  static constexpr int N = COUNT;
  THALWEG_INLINE Vector<T, N> read(const T* from) const { return load<Vector<T, N>>(from); }
  THALWEG_INLINE void write(T* to, Vector<T, N> value) const { store(to, value); }
};

// How many elements a window has: known when this is compiled, or ANY.
constexpr int ANY = 0, SQUARE = 4;
template <int ELEMENTS>
THALWEG_INLINE Index count_of(const Windows& w) {
  return ELEMENTS == ANY ? w.elements : ELEMENTS;
}

template <class F, class T, int ELEMENTS, class Lanes>
THALWEG_INLINE Vector<T, Lanes::N> reduced(const Windows& w, const char* in,
                                           const Lanes& lanes) {
  Vector<T, Lanes::N> result = lanes.read((const T*)(in + w.in_elements[0]));
  for (Index e = 1; e < count_of<ELEMENTS>(w); ++e)
    result = F::of(result, lanes.read((const T*)(in + w.in_elements[e])));
  return result;
}

template <class F, int ELEMENTS>
struct Reduce {
  template <class T, class Lanes>
  static THALWEG_INLINE void run(const Windows& w, const At& at, const Lanes& lanes) {
    lanes.write((T*)at.out, reduced<F, T, ELEMENTS>(w, at.in, lanes));
  }
};

template <int ELEMENTS>
struct Share {
  template <class T, class Lanes>
  static THALWEG_INLINE void run(const Windows& w, const At& at, const Lanes& lanes) {
    using V = Vector<T, Lanes::N>;
    const V largest = reduced<Max, T, ELEMENTS>(w, at.in, lanes);
    const V zero = {}, one = repeat<V>(T(1));
    V count = zero;
    for (Index e = 0; e < count_of<ELEMENTS>(w); ++e) {
      const V x = lanes.read((const T*)(at.in + w.in_elements[e]));
      count += x == largest ? one : zero;
    }
    const V share = lanes.read((const T*)at.part) / count;
    for (Index e = 0; e < count_of<ELEMENTS>(w); ++e) {
      const V x = lanes.read((const T*)(at.in + w.in_elements[e]));
      lanes.write((T*)(at.out + w.out_elements[e]), x == largest ? share : zero);
    }
  }
};

template <class T>
THALWEG_INLINE At further(const At& at, Index channels) {
  const Index bytes = channels * Index(sizeof(T));
  return {at.in + bytes, at.out + bytes, at.part + bytes};
}

// The channels of a place. Where vectors can't be cut cheaply, the last two overlap: what
// lies in both is written twice.
template <class Work, class T>
THALWEG_INLINE void at_place(const Windows& w, const At& at) {
  constexpr Index N = LANES<T>;
  Index channel = 0;
  for (; channel + N <= w.channels; channel += N)
    Work::template run<T>(w, further<T>(at, channel), chains::All<T>{});
  const Index left = w.channels - channel;
  if (left == 0) return;
#if !defined(__AVX512F__)
  if (channel > 0)
    return Work::template run<T>(w, further<T>(at, w.channels - N), chains::All<T>{});
  constexpr Index FEW = 16 / Index(sizeof(T));
  if (left >= FEW) {
    Work::template run<T>(w, at, Few<T, FEW>{});
    if (left > FEW) Work::template run<T>(w, further<T>(at, left - FEW), Few<T, FEW>{});
    return;
  }
#endif
  Work::template run<T>(w, further<T>(at, channel), chains::Some<T>{left});
}

template <class Work, class T>
void along(const Windows& w, int axis, At at) {
  const Index in = w.in_strides[axis], out = w.out_strides[axis];
  const Index part = w.part_strides[axis];
  const bool last = axis == w.rank - 1;
  for (Index i = 0; i < w.extents[axis]; ++i) {
    last ? at_place<Work, T>(w, at) : along<Work, T>(w, axis + 1, at);
    at.in += in;
    at.out += out;
    at.part += part;
  }
}

template <class Work, class T>
void run(const Windows& w) {
  along<Work, T>(w, 0, {(const char*)w.in, (char*)w.out, (const char*)w.part});
}

template <class F, class T>
void reduce_in(const Windows& w) {
  w.elements == SQUARE ? run<Reduce<F, SQUARE>, T>(w) : run<Reduce<F, ANY>, T>(w);
}

template <class F>
void reduce(const Windows& w) {
  switch (w.dtype) {
    case Dtype::float32: return reduce_in<F, float>(w);
    case Dtype::float64: return reduce_in<F, double>(w);
    case Dtype::uint32: return reduce_in<F, uint32_t>(w);
    default: return reduce_in<F, int32_t>(w);
  }
}

template <class T>
void share(const Windows& w) {
  w.elements == SQUARE ? run<Share<SQUARE>, T>(w) : run<Share<ANY>, T>(w);
}

// ---- added where they were taken

template <class T>
THALWEG_INLINE void add_run(T* out, const T* in, Index n) {
  using V = Vector<T>;
  constexpr Index N = LANES<T>;
  Index i = 0;
  for (; i + N <= n; i += N) store(out + i, load<V>(out + i) + load<V>(in + i));
  if (i == n) return;
  const chains::Some<T> lanes{n - i};
  lanes.write(out + i, lanes.read(out + i) + lanes.read(in + i));
}

template <class T>
void add_line(T* out, const T* in, const Axis& line) {
  if (line.in == Index(sizeof(T)) && line.out == line.in)
    return add_run(out, in, line.extent);
  for (Index i = 0; i < line.extent; ++i)
    *moved(out, i * line.out) += *moved(in, i * line.in);
}

template <class T>
void add_axes(const Axes& axes, int axis, T* out, const T* in) {
  const Axis& here = axes.axes[axis];
  if (axis == axes.rank - 1) return add_line(out, in, here);
  for (Index i = 0; i < here.extent; ++i)
    add_axes(axes, axis + 1, moved(out, i * here.out), moved(in, i * here.in));
}

}  // namespace windows

inline void add_copy(Dtype dtype, const Copy& copy) {
  Axes axes;
  if (!enter_axes(copy, axes, true)) return;
  switch (dtype) {
    case Dtype::float32:
      return windows::add_axes(axes, 0, (float*)copy.out, (const float*)copy.in);
    case Dtype::float64:
      return windows::add_axes(axes, 0, (double*)copy.out, (const double*)copy.in);
    default:
      return windows::add_axes(axes, 0, (uint32_t*)copy.out, (const uint32_t*)copy.in);
  }
}

inline void reduce_windows(const Windows& w) {
  w.opcode == Opcode::sum ? windows::reduce<Sum>(w) : windows::reduce<Max>(w);
}

inline void share_max(const Windows& w) {
  w.dtype == Dtype::float64 ? windows::share<double>(w) : windows::share<float>(w);
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
