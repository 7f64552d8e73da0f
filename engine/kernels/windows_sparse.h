// Products with windows where most of the other factor is 0, as it is behind a pooling.
//
// Each number that isn't 0 is multiplied by the window that it belongs to, where that lies:
// its segments' vectors, so many at a time. The sums are those of product.h in their order.
#pragma once

#include "kernels/product_sparse.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {
namespace products {

constexpr Index LEAST_WINDOW_PRODUCTS = 16 * 1024;

// Some vectors of a window: where they lie in what windows are of, and in a window that is
// one piece. Those of a run may overlap, or are a part.
template <class T>
struct WindowVectors {
  static constexpr Index MOST = SPARSE_VECTORS;
  Index apart[MOST], together[MOST];
  Index count;
};

// All vectors of windows, so many at a time. Two that overlap go together, so that what is
// added to is added to once.
template <class T>
class WindowGroups {
 public:
  // Those that there is room for in so many bytes, of a window of that many numbers.
  static bool fits(Index size, Index segments, std::size_t bytes) {
    const Index vectors = size / LANES<T> + segments;
    // Two groups hold more than one can, or they would be one.
    const Index groups = 2 * vectors / WindowVectors<T>::MOST + 2;
    return std::size_t(groups) * sizeof(WindowVectors<T>) <= bytes;
  }

  WindowGroups(Index segments, Index run, const Index* segment_at, void* room)
      : groups_(static_cast<WindowVectors<T>*>(room)) {
    constexpr Index N = LANES<T>, MOST = WindowVectors<T>::MOST;
    const Split pieces(parts(run, N), parts(parts(run, N), MOST));
    groups_[0].count = 0;
    for (Index s = 0; s < segments; ++s)
      for (Index piece = 0; piece < pieces.count; ++piece) {
        if (groups_[last_].count + pieces.size(piece) > MOST) groups_[++last_].count = 0;
        WindowVectors<T>& group = groups_[last_];
        for (Index v = 0; v < pieces.size(piece); ++v) {
          const Index wanted = (pieces.begin(piece) + v) * N;
          const Index r = run < N ? 0 : smaller(wanted, run - N);
          group.apart[group.count] = segment_at[s] + r;
          group.together[group.count++] = s * run + r;
        }
      }
  }

  const WindowVectors<T>* begin() const { return groups_; }
  const WindowVectors<T>* end() const { return groups_ + last_ + 1; }

 private:
  WindowVectors<T>* groups_;
  Index last_ = 0;
};

// to[i] (+)= sum over the numbers of `found` of number · lines(place)[i], for i of a group.
template <class T, int VECTORS, class LinesOf, class Lanes>
THALWEG_INLINE void add_group_of(const Nonzeros<T>& found, const LinesOf& line,
                                 const Index* from, T* to, const Index* places, bool more,
                                 const Lanes& lanes) {
  using V = Vector<T>;
  V sums[VECTORS] = {};
  for (Index i = 0; i < found.count; ++i) {
    const V factor = repeat<V>(found.numbers[i]);
    const T* in = line(found.places[i]);
    THALWEG_UNROLL
    for (int v = 0; v < VECTORS; ++v)
      sums[v] = multiply_add(factor, lanes.read(in + from[v]), sums[v]);
  }
  THALWEG_UNROLL
  for (int v = 0; v < VECTORS; ++v) sums[v] += more ? lanes.read(to + places[v]) : V{};
  THALWEG_UNROLL
  for (int v = 0; v < VECTORS; ++v) lanes.write(to + places[v], sums[v]);
}

template <class T, int VECTORS, class LinesOf, class Lanes>
THALWEG_INLINE void add_group(Index count, const Nonzeros<T>& found, const LinesOf& line,
                              const Index* from, T* to, const Index* places, bool more,
                              const Lanes& lanes) {
  if constexpr (VECTORS > 1)
    if (count < VECTORS)
      return add_group<T, VECTORS - 1>(count, found, line, from, to, places, more, lanes);
  add_group_of<T, VECTORS>(found, line, from, to, places, more, lanes);
}

// Whether a product of this form, a being m × k, is worth it, and nothing forbids it.
template <class T>
bool fits_windows(const Typed<T>& a, Index segments, Index run) {
  const Index size = segments * run;
  if (size < LANES<T> || a.m * size * a.k < LEAST_WINDOW_PRODUCTS) return false;
  return WindowGroups<T>::fits(size, segments, sizeof(SparseWork<T>::panel)) &&
         is_mostly_zero(a);
}

// The factor that isn't windows, as find_rows reads it.
template <class T>
Typed<T> other_factor(Dtype dtype, Index m, Index k, const void* a, Index a_row,
                      Index a_column) {
  Product product{};
  product.dtype = dtype;
  product.m = m, product.k = k;
  product.a = a, product.a_row = a_row, product.a_column = a_column;
  return Typed<T>(product);
}

// ---- what windows give to filters

template <class T, class Lanes>
void sum_windows_in(const WindowSum& w, const Typed<T>& filters, SparseWork<T>& work,
                    const WindowGroups<T>& groups, const Lanes& lanes) {
  const Index size = w.segments * w.run;
  for (Index l = 0; l < w.depth; l += BLOCK_DEPTH) {
    const Block<T> block{0, 0, l, smaller(BLOCK_DEPTH, w.depth - l)};
    const bool more = l > 0 || w.accumulate;
    const auto window = [&](Index place) { return (const T*)w.a + w.at[l + place]; };
    for (Index row = 0; row < w.filters; row += SPARSE_ROWS) {
      const Index rows = smaller(SPARSE_ROWS, w.filters - row);
      find_rows(filters, block, row, rows, work);
      for (const WindowVectors<T>& group : groups)
        for (Index i = 0; i < rows; ++i)
          add_group<T, SPARSE_VECTORS>(group.count, work.found[i], window, group.apart,
                                       (T*)w.c + (row + i) * size, group.together, more,
                                       lanes);
    }
  }
}

template <class T>
bool sum_sparse_windows(const WindowSum& w) {
  const auto filters = other_factor<T>(w.dtype, w.filters, w.depth, w.b, 1, w.b_row);
  if (w.depth == 0 || !fits_windows(filters, w.segments, w.run)) return false;
  if (!all_finite_of(w.span, (const T*)w.a)) return false;
  auto& work = *static_cast<SparseWork<T>*>(w.scratch);
  const WindowGroups<T> groups(w.segments, w.run, w.segment_at, work.panel);
  w.run < LANES<T> ? sum_windows_in(w, filters, work, groups, chains::Some<T>{w.run})
                   : sum_windows_in(w, filters, work, groups, chains::All<T>{});
  return true;
}

// ---- what rows give to windows

template <class T, class Lanes>
void spread_rows(const WindowSpread& w, const Typed<T>& a, SparseWork<T>& work,
                 const WindowGroups<T>& groups, const Lanes& lanes) {
  const auto line = [&](Index j) { return (const T*)w.b + j * w.b_row; };
  for (Index row = 0; row < w.rows; row += SPARSE_ROWS) {
    const Index rows = smaller(SPARSE_ROWS, w.rows - row);
    find_rows(a, {0, 0, 0, w.depth}, row, rows, work);
    for (Index i = 0; i < rows; ++i) {
      if (work.found[i].count == 0) continue;  // adds 0 to what began at 0
      for (const WindowVectors<T>& group : groups)
        add_group<T, SPARSE_VECTORS>(group.count, work.found[i], line, group.together,
                                     (T*)w.c + w.at[row + i], group.apart, true, lanes);
    }
  }
}

template <class T>
bool spread_sparse_windows(const WindowSpread& w) {
  const auto a = other_factor<T>(w.dtype, w.rows, w.depth, w.a, w.a_row, 1);
  // A deeper product is added up in parts before it is added to windows.
  if (w.depth == 0 || w.depth > BLOCK_DEPTH || !fits_windows(a, w.segments, w.run))
    return false;
  const Index size = w.segments * w.run;
  for (Index j = 0; j < w.depth; ++j)  // 0 times infinity is NaN, which must be seen
    if (!all_finite_of(size, (const T*)w.b + j * w.b_row)) return false;
  auto& work = *static_cast<SparseWork<T>*>(w.scratch);
  const WindowGroups<T> groups(w.segments, w.run, w.segment_at, work.panel);
  w.run < LANES<T> ? spread_rows(w, a, work, groups, chains::Some<T>{w.run})
                   : spread_rows(w, a, work, groups, chains::All<T>{});
  return true;
}

}  // namespace products

inline bool sum_windows(const WindowSum& w) {
  return w.dtype == Dtype::float64 ? products::sum_sparse_windows<double>(w)
                                   : products::sum_sparse_windows<float>(w);
}

inline bool spread_windows(const WindowSpread& w) {
  return w.dtype == Dtype::float64 ? products::spread_sparse_windows<double>(w)
                                   : products::spread_sparse_windows<float>(w);
}

inline std::size_t window_scratch(Dtype dtype) {
  return dtype == Dtype::float64 ? sizeof(products::SparseWork<double>)
                                 : sizeof(products::SparseWork<float>);
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
