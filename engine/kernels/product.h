// The matrix product, c[i, j] = start + sum over l of a[i, l] * b[l, j].
//
// Every element of c is made in one way, whatever tile it falls in: the products of
// BLOCK_DEPTH neighboring l are added up from 0 in the order of l, start is added to
// the first of these sums, and the others are added to that in order. Multiply and add
// are fused where the instruction set can.
#pragma once

#include "kernels/product_pack.h"
#include "kernels/product_row.h"
#include "kernels/product_tile.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {
namespace products {

constexpr Index BLOCK_DEPTH = 256;
constexpr Index BLOCK_BYTES = 512 * 1024;  // of b, packed: half of a common L2 cache
constexpr Index BLOCK_ROWS = 96;           // of a, packed
constexpr Index LARGE_BYTES = 512 * 1024;  // b larger than this is copied,
constexpr Index MANY_ROWS = 128;           // if that many rows share the cost
constexpr Index NARROW_BYTES = 32;
constexpr Index PACKED_LINES = 16;  // of b, copied at a time

// The same product with its types known.
template <class T>
struct Typed {
  Index m, n, k;
  const T* a;
  Index a_row, a_column;
  const Index* a_at;
  Index lines, line, a_line;
  const T* b;
  Index b_row, b_column;
  const Index* b_at;
  Index b_line;  // of a product that was turned
  T* c;
  Index c_row;
  const T* bias;
  bool accumulate;
  T* scratch;
  const T* packed;

  explicit Typed(const Product& p)
      : m(p.m),
        n(p.n),
        k(p.k),
        a(static_cast<const T*>(p.a)),
        a_row(p.a_row),
        a_column(p.a_column),
        a_at(p.a_at),
        lines(p.a_at ? p.m / p.line : 1),
        line(p.a_at ? p.line : p.m),
        a_line(p.a_at ? p.a_line : 0),
        b(static_cast<const T*>(p.b)),
        b_row(p.b_row),
        b_column(p.b_column),
        b_at(p.b_at),
        b_line(0),
        c(static_cast<T*>(p.c)),
        c_row(p.c_row),
        bias(static_cast<const T*>(p.bias)),
        accumulate(p.accumulate),
        scratch(static_cast<T*>(p.scratch)),
        packed(static_cast<const T*>(p.packed)) {}

  // A number of a.
  T at(Index i, Index l) const {
    if (!a_at) return a[i * a_row + l * a_column];
    return a[i / line * a_line + i % line * a_row + a_at[l]];
  }
};

// How a product is carried out. b is copied if its columns aren't adjacent; a, if it is
// read often and a tile needs little of each line of memory that it touches.
template <class T>
struct Form {
  Index lanes;  // columns of a vector
  Index chunk;  // vectors of columns worked on at a time
  bool pack_a, pack_b;

  explicit Form(const Typed<T>& p) : lanes(LANES<T>) {
    while (lanes > p.n || (lanes > 1 && lanes * Index(sizeof(T)) < 16)) lanes /= 2;
    const Index depth = smaller(p.k, BLOCK_DEPTH), size = sizeof(T);
    const bool large = p.k * p.n * size > LARGE_BYTES && p.m >= MANY_ROWS;
    pack_b = p.n > 0 && !p.b_at && (p.b_column != 1 || large || p.packed);
    chunk = pack_b ? BLOCK_BYTES / (BLOCK_DEPTH * lanes * size) : parts(p.n, lanes);
    pack_a = !p.a_at && !p.b_at && p.a_column != 1 && p.m >= BLOCK_ROWS / 2 &&
             p.n >= 8 * TILE_VECTORS * lanes && p.m * depth * size > LARGE_BYTES / 8;
  }

  Index b_numbers(const Typed<T>& p) const {
    if (!pack_b || p.packed) return 0;
    return smaller(parts(p.n, lanes), chunk) * lanes * smaller(p.k, BLOCK_DEPTH);
  }
  Index a_numbers(const Typed<T>& p) const {
    return pack_a ? smaller(p.m, BLOCK_ROWS) * A_ROW : 0;
  }
  static constexpr Index A_ROW = BLOCK_DEPTH + 16;  // no multiple of the caches' sets
};

// Some columns and some neighboring l of a product.
template <class T>
struct Block {
  Index vector, vectors, l, depth;
};

template <class T, int N>
Strip<T> strip_of(const Typed<T>& p, const Block<T>& block, Index vector, Index width) {
  Strip<T> strip;
  const Index column = vector * N;
  strip.rows = p.line;
  strip.depth = block.depth;
  const Index* const listed = p.a_at ? p.a_at : p.b_at;
  strip.at = listed ? listed + block.l : nullptr;
  strip.a = p.a + (p.a_at ? 0 : block.l * p.a_column);
  strip.a_row = p.a_row;
  strip.a_column = p.a_column;
  strip.b = p.b + (p.b_at ? 0 : block.l * p.b_row) + column * p.b_column;
  strip.b_row = p.b_row;
  strip.c = p.c + column;
  strip.c_row = p.c_row;
  strip.b_last = strip.c_last = smaller((width - 1) * N, p.n - N - column);
  const bool more = block.l > 0 || p.accumulate;
  strip.addend = more ? strip.c : p.bias ? p.bias + column : nullptr;
  strip.addend_row = more ? p.c_row : 0;
  return strip;
}

// The strip's part of b, copied to a panel.
template <class T, int N>
void fill_panel(const Strip<T>& strip, Index b_column, Index width, T* to) {
  pack<T, N>({strip.b, strip.b_row, b_column, strip.depth, width, strip.b_last},
             {to, width * N, (width - 1) * N});
}

template <class T, int N>
void use_panel(Strip<T>& strip, Index width, const T* panel) {
  strip.b = panel;
  strip.b_row = width * N;
  strip.b_last = (width - 1) * N;
}

// Where the panels of a block begin in what is packed of all of b.
template <class T, int N>
Index place_of_panels(const Typed<T>& p, const Block<T>& block) {
  return (block.l * parts(p.n, N) + block.vector * block.depth) * N;
}

// Rows of a, copied with every row in one piece.
template <class T>
void copy_rows(const Typed<T>& p, Index row, Index rows, Index l, Index depth, T* to) {
  constexpr int N = LANES<T>;
  const T* from = p.a + row * p.a_row + l * p.a_column;
  pack<T, N>({from, p.a_row, p.a_column, rows, parts(depth, N), depth - N},
             {to, Form<T>::A_ROW, depth - N});
}

// The widest tile in vectors of N numbers, and how vectors are cut into tiles.
template <class T, int N>
constexpr int WIDEST = N == 1         ? 3
                       : N < LANES<T> ? 2
                                      : WIDEST_TILE;
template <int N>
Split tiles_of(Index vectors) {
  return N == 1 ? Split(vectors, 1) : split_columns(vectors);
}

// The panels of a block, one behind the other. Of rows that lie far apart a few are gone
// through at a time: so many pages are known where they are.
template <class T, int N>
void fill_panels(const Typed<T>& p, const Block<T>& block, T* to) {
  const Split tiles = tiles_of<N>(block.vectors);
  const Index step = p.b_column == 1 ? PACKED_LINES : larger(block.depth, 1);
  for (Index l = 0; l < block.depth; l += step)
    for (Index tile = 0; tile < tiles.count; ++tile) {
      const Index vector = tiles.begin(tile), width = tiles.size(tile);
      Block<T> lines = block;
      lines.l += l;
      lines.depth = smaller(step, block.depth - l);
      const Strip<T> strip = strip_of<T, N>(p, lines, block.vector + vector, width);
      fill_panel<T, N>(strip, p.b_column, width,
                       to + (vector * block.depth + l * width) * N);
    }
}

template <class T, int N>
void run_block(const Typed<T>& p, const Form<T>& form, const Block<T>& block) {
  const Split tiles = tiles_of<N>(block.vectors);
  if (form.pack_b && !p.packed) fill_panels<T, N>(p, block, p.scratch);
  const T* const panels = p.packed      ? p.packed + place_of_panels<T, N>(p, block)
                          : form.pack_b ? p.scratch
                                        : nullptr;
  const bool pack_a = form.pack_a && block.depth >= LANES<T>;
  T* a_copy = p.scratch + form.b_numbers(p);
  for (Index row = 0; row < p.m; row += BLOCK_ROWS) {
    const Index rows = smaller(BLOCK_ROWS, p.m - row);
    if (pack_a) copy_rows(p, row, rows, block.l, block.depth, a_copy);
    for (Index tile = 0; tile < tiles.count; ++tile) {
      const Index vector = tiles.begin(tile), width = tiles.size(tile);
      Strip<T> strip = strip_of<T, N>(p, block, block.vector + vector, width);
      if (panels) use_panel<T, N>(strip, width, panels + vector * N * block.depth);
      strip.a += row * p.a_row;
      strip.c += row * p.c_row;
      if (strip.addend) strip.addend += row * strip.addend_row;
      strip.rows = rows;
      if (pack_a) {
        strip.a = a_copy;
        strip.a_row = Form<T>::A_ROW;
        strip.a_column = 1;
      }
      run_strip<T, N, Listed::none, WIDEST<T, N>>(strip, width);
    }
  }
}

// The same where a or b is listed: tiles over one line after the other.
template <class T, int N, Listed LISTED>
void run_listed_block(const Typed<T>& p, const Form<T>& form, const Block<T>& block) {
  const Split tiles = tiles_of<N>(block.vectors);
  for (Index tile = 0; tile < tiles.count; ++tile) {
    const Index vector = tiles.begin(tile), width = tiles.size(tile);
    Strip<T> strip = strip_of<T, N>(p, block, block.vector + vector, width);
    if (form.pack_b) {
      T* const panel = p.scratch + vector * N * block.depth;
      fill_panel<T, N>(strip, p.b_column, width, panel);
      use_panel<T, N>(strip, width, panel);
    }
    for (Index line = 0; line < p.lines; ++line) {
      run_strip<T, N, LISTED, WIDEST<T, N>>(strip, width);
      strip.a += p.a_line;
      strip.b += p.b_line;
      strip.c += p.line * p.c_row;
      if (strip.addend) strip.addend += p.line * strip.addend_row;
    }
  }
}

template <class T, int N, class Run>
void for_blocks(const Typed<T>& p, const Form<T>& form, const Run& run) {
  const Index vectors = parts(p.n, N);
  const Split chunks(vectors, parts(vectors, form.chunk));
  for (Index chunk = 0; chunk < chunks.count; ++chunk) {
    Index l = 0;
    do {  // once if k is 0, for start
      const Index depth = smaller(p.k - l, BLOCK_DEPTH);
      run(Block<T>{chunks.begin(chunk), chunks.size(chunk), l, depth});
      l += BLOCK_DEPTH;
    } while (l < p.k);
  }
}

template <class T, int N>
void run_vectors(const Typed<T>& p, const Form<T>& form) {
  const auto run = p.a_at   ? run_listed_block<T, N, Listed::a>
                   : p.b_at ? run_listed_block<T, N, Listed::b>
                            : run_block<T, N>;
  for_blocks<T, N>(p, form, [&](const Block<T>& block) { run(p, form, block); });
}

// All of b in panels, as run_block finds them. Products with fewer columns than a vector
// has lanes, and those of a row that reads b in order, are made without.
template <class T>
bool can_be_packed(const Typed<T>& p) {
  const bool reads_in_order = p.m == 1 && p.b_column == 1;
  return p.m > 0 && p.k > 0 && p.n >= LANES<T> && !p.a_at && !p.b_at && !reads_in_order;
}

template <class T>
void pack_whole(Typed<T> p, T* to) {
  constexpr int N = LANES<T>;
  p.packed = to;
  for_blocks<T, N>(p, Form<T>(p), [&](const Block<T>& block) {
    fill_panels<T, N>(p, block, to + place_of_panels<T, N>(p, block));
  });
}

template <class T>
std::size_t packed_bytes_of(const Typed<T>& p) {
  if (!can_be_packed(p)) return 0;
  return std::size_t(parts(p.n, LANES<T>) * LANES<T> * p.k) * sizeof(T);
}

template <class T>
void run_direct(const Typed<T>& p) {
  const Form<T> form(p);
  switch (form.lanes * Index(sizeof(T))) {
#if THALWEG_VECTOR_BYTES >= 64
    case 64: return run_vectors<T, 64 / sizeof(T)>(p, form);
#endif
#if THALWEG_VECTOR_BYTES >= 32
    case 32: return run_vectors<T, 32 / sizeof(T)>(p, form);
#endif
    case 16: return run_vectors<T, 16 / sizeof(T)>(p, form);
    default: return run_vectors<T, 1>(p, form);
  }
}

// A narrow product is made as cᵀ = bᵀ · aᵀ, some rows of c at a time: vectors lie along
// the rows of c. Of lines, as many at a time as there is room for their sums.
template <class T>
constexpr Index TURNED_ROWS = TILE_VECTORS * LANES<T>;
template <class T>
constexpr Index TURNED_NUMBERS = LANES<T> * TURNED_ROWS<T> * 4;

template <class T>
bool is_turned(const Typed<T>& p) {
  if (p.b_at || (p.a_at && p.a_row != 1)) return false;
  const bool pays = p.n * Index(sizeof(T)) < NARROW_BYTES || p.a_row == 1;
  return pays && p.n < LANES<T> && p.line >= LANES<T>;
}

// The same rows of some lines.
template <class T>
Typed<T> turned(const Typed<T>& p, const T* a, Index lines, Index rows, T* c) {
  Typed<T> t = p;
  t.m = t.line = p.n;
  t.n = rows;
  t.lines = lines;
  t.a = p.b;
  t.a_row = p.b_column;
  t.a_column = p.b_row;
  t.a_at = nullptr;
  t.a_line = 0;
  t.b = a;
  t.b_row = p.a_column;
  t.b_column = p.a_row;
  t.b_at = p.a_at;
  t.b_line = p.a_line;
  t.c = c;
  t.c_row = TURNED_ROWS<T>;
  t.bias = nullptr;
  t.accumulate = p.bias || p.accumulate;
  return t;
}

// Rows of c from columns that lie beside each other, four at a time; of the last four, some
// perhaps again.
template <class T>
void turn_back(const T* sums, Index rows, Index columns, T* c, Index c_row) {
  constexpr Index U = 16 / sizeof(T), FROM = TURNED_ROWS<T>;
  Index j = 0;
  if constexpr (sizeof(T) == 4) {
    for (; columns >= U && j < columns; j += U) {
      const Index from = smaller(j, columns - U);
      Index i = 0;
      for (; i + U <= rows; i += U)
        transpose_unit<T, U>(sums + from * FROM + i, FROM, c + i * c_row + from, c_row);
      for (; i < rows; ++i)
        for (Index k = from; k < from + U; ++k) c[i * c_row + k] = sums[k * FROM + i];
    }
  }
  for (; j < columns; ++j)
    for (Index i = 0; i < rows; ++i) c[i * c_row + j] = sums[j * FROM + i];
}

template <class T>
void run_turned_rows(const Typed<T>& p, const T* a, Index lines, Index rows, T* c) {
  T sums[TURNED_NUMBERS<T>];
  const Typed<T> t = turned(p, a, lines, rows, sums);
  const Index of_line = p.n * t.c_row, c_line = p.line * p.c_row;
  if (t.accumulate)
    for (Index line = 0; line < lines; ++line)
      for (Index j = 0; j < p.n; ++j)
        for (Index i = 0; i < rows; ++i)
          sums[line * of_line + j * t.c_row + i] =
              p.bias ? p.bias[j] : c[line * c_line + i * p.c_row + j];
  run_direct(t);
  for (Index line = 0; line < lines; ++line)
    turn_back(sums + line * of_line, rows, p.n, c + line * c_line, p.c_row);
}

// Whole vectors of rows, the last piece perhaps with a vector that is a part.
template <class T>
void run_turned(const Typed<T>& p) {
  constexpr Index N = LANES<T>;
  const Index whole = p.line / N, rest = p.line % N;
  const Split pieces(whole, parts(whole + (rest > 0), TILE_VECTORS));
  const Index most = TURNED_NUMBERS<T> / (p.n * TURNED_ROWS<T>);
  for (Index line = 0; line < p.lines; line += most)
    for (Index piece = 0; piece < pieces.count; ++piece) {
      const Index row = pieces.begin(piece) * N;
      const bool last = piece == pieces.count - 1;
      run_turned_rows(p, p.a + line * p.a_line + row * p.a_row,
                      smaller(most, p.lines - line), pieces.size(piece) * N + last * rest,
                      p.c + (line * p.line + row) * p.c_row);
    }
}

constexpr Index ROW_VECTORS = 64;

template <class T>
bool is_row(const Typed<T>& p) {
  return p.m == 1 && p.k > 0 && !p.a_at && !p.b_at && p.b_column == 1 &&
         p.n >= 2 * LANES<T>;
}

template <class T>
void run_row(const Typed<T>& p) {
  constexpr int N = LANES<T>;
  T sums[ROW_VECTORS * N];
  const Index vectors = parts(p.n, N);
  const Split chunks(vectors, parts(vectors, ROW_VECTORS));
  for (Index chunk = 0; chunk < chunks.count; ++chunk) {
    const Index column = chunks.begin(chunk) * N, count = chunks.size(chunk);
    const Index last = smaller((count - 1) * N, p.n - N - column);
    const T* addend = p.accumulate ? p.c + column : p.bias ? p.bias + column : nullptr;
    for (Index l = 0; l < p.k; l += BLOCK_DEPTH) {
      const Lines<T> lines{p.a + l * p.a_column,
                           p.a_column,
                           p.b + l * p.b_row + column,
                           p.b_row,
                           count,
                           last,
                           smaller(p.k - l, BLOCK_DEPTH)};
      sum_lines<T, N>(lines, sums);
      finish_row<T, N>(lines, sums, addend, p.c + column);
      addend = p.c + column;
    }
  }
}

template <class T>
void run(const Product& product) {
  const Typed<T> p(product);
  if (p.m <= 0 || p.n <= 0) return;
  if (is_row(p)) return run_row(p);
  is_turned(p) ? run_turned(p) : run_direct(p);
}

template <class T>
constexpr Index CUT_COLUMNS = TILE_VECTORS * LANES<T>;

template <class T>
Index form_numbers(const Typed<T>& p) {
  const Form<T> form(p);
  return form.a_numbers(p) + form.b_numbers(p);
}

// Enough for these columns, turned or not: few rows of them aren't turned.
template <class T>
Index scratch_numbers(const Typed<T>& p) {
  if (p.m <= 0 || p.n <= 0) return 0;
  const Index direct = form_numbers(p);
  if (!is_turned(p)) return direct;
  return larger(direct,
                form_numbers(turned(p, p.a, 1, smaller(p.line, TURNED_ROWS<T>), p.c)));
}

// Enough for the product and for every cut of it.
template <class T>
std::size_t scratch_bytes(const Product& product) {
  Typed<T> p(product);
  const Index whole = scratch_numbers(p);
  p.n %= CUT_COLUMNS<T>;
  return std::size_t(larger(whole, scratch_numbers(p))) * sizeof(T);
}

template <class T>
void cut_sizes(const Product& product, Index* rows, Index* columns) {
  const Typed<T> p(product);
  *rows = is_turned(p) ? TURNED_ROWS<T> : 4;
  *columns = CUT_COLUMNS<T>;
}

}  // namespace products

inline void product(const Product& p) {
  p.dtype == Dtype::float64 ? products::run<double>(p) : products::run<float>(p);
}

inline std::size_t product_scratch(const Product& p) {
  return p.dtype == Dtype::float64 ? products::scratch_bytes<double>(p)
                                   : products::scratch_bytes<float>(p);
}

inline std::size_t packed_bytes(const Product& p) {
  return p.dtype == Dtype::float64 ? products::packed_bytes_of(products::Typed<double>(p))
                                   : products::packed_bytes_of(products::Typed<float>(p));
}

inline void pack_factor(const Product& p, void* to) {
  p.dtype == Dtype::float64
      ? products::pack_whole(products::Typed<double>(p), static_cast<double*>(to))
      : products::pack_whole(products::Typed<float>(p), static_cast<float*>(to));
}

inline void product_tile(const Product& p, Index* rows, Index* columns) {
  p.dtype == Dtype::float64 ? products::cut_sizes<double>(p, rows, columns)
                            : products::cut_sizes<float>(p, rows, columns);
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
