// Chains: operations that hand their results on in registers.
//
// A link works on the numbers that come to it (they "flow"), on numbers that lie in
// memory, and on single numbers that stand for all elements. Then it calls the next one,
// a call that the compiler makes a jump.
#pragma once

#include "kernels/elementwise.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {
namespace chains {

constexpr int WHOLE = 4;  // vectors that flow at a time

template <class T>
using WholeFunction = void (*)(const Link*, std::byte* const*, Index, Vector<T>, Vector<T>,
                               Vector<T>, Vector<T>);
template <class T>
using PartFunction = void (*)(const Link*, std::byte* const*, Index, Index, Vector<T>);

enum class Mode { flows, lies, stands, absent };

// Some lanes of memory, or all of them.
template <class T>
struct All {
  static constexpr int N = LANES<T>;
  template <class M>
  THALWEG_INLINE Vector<M, N> read(const M* from) const {
    return load<Vector<M, N>>(from);
  }
  template <class M>
  THALWEG_INLINE void write(M* to, Vector<M, N> value) const {
    store(to, value);
  }
};

template <class T>
struct Some {
  static constexpr int N = LANES<T>;
  Index count;
  template <class M>
  THALWEG_INLINE Vector<M, N> read(const M* from) const {
    return count == N ? load<Vector<M, N>>(from) : load_part<Vector<M, N>>(from, count);
  }
  template <class M>
  THALWEG_INLINE void write(M* to, Vector<M, N> value) const {
    count == N ? store(to, value) : store_part(to, value, count);
  }
};

// An operand: `of` gives its lanes, where x flows and i is the element.
template <class T, Mode mode>
struct Operand {
  const T* from;
  Vector<T> number;
  THALWEG_INLINE explicit Operand(const void* place) : from((const T*)place) {
    if constexpr (mode == Mode::stands) number = repeat<Vector<T>>(*from);
  }
  template <class Lanes>
  THALWEG_INLINE Vector<T> of(Vector<T> x, Index i, const Lanes& lanes) const {
    if constexpr (mode == Mode::flows) {
      return x;
    } else if constexpr (mode == Mode::stands) {
      return number;
    } else {
      return lanes.read(from + i);
    }
  }
};

// What a link does: made of the link's places, then asked for one vector after another.

template <class T, class F, Mode a, Mode b, Mode c>
struct Compute {
  static constexpr int AT_B = a != Mode::flows;
  static constexpr int AT_C = AT_B + (b != Mode::flows);
  Operand<T, a> x;
  Operand<T, b> y;
  Operand<T, c> z;
  THALWEG_INLINE Compute(const Link* link, std::byte* const* table)
      : x(table[link->places[0]]),
        y(b == Mode::absent ? nullptr : table[link->places[AT_B]]),
        z(c == Mode::absent ? nullptr : table[link->places[AT_C & 1]]) {}
  template <class Lanes>
  THALWEG_INLINE Vector<T> next(Vector<T> flow, Index i, const Lanes& lanes) const {
    if constexpr (b == Mode::absent) {
      return F::apply(x.of(flow, i, lanes));
    } else if constexpr (c == Mode::absent) {
      return F::apply(x.of(flow, i, lanes), y.of(flow, i, lanes));
    } else {
      return F::apply(x.of(flow, i, lanes), y.of(flow, i, lanes), z.of(flow, i, lanes));
    }
  }
};

template <class T>
struct DivideBy {
  Divisor<T> divisor;
  THALWEG_INLINE DivideBy(const Link* link, std::byte* const* table)
      : divisor(*(const T*)table[link->places[0]]) {}
  template <class Lanes>
  THALWEG_INLINE Vector<T> next(Vector<T> flow, Index, const Lanes&) const {
    return divisor.divide(flow);
  }
};

// A comparison leaves its truths; what flows, flows on.
template <class T, class F, Mode a, Mode b>
struct Compare {
  Operand<T, a> x;
  Operand<T, b> y;
  uint8_t* out;
  THALWEG_INLINE Compare(const Link* link, std::byte* const* table)
      : x(table[link->places[0]]),
        y(table[link->places[0]]),
        out((uint8_t*)table[link->places[1]]) {}
  template <class Lanes>
  THALWEG_INLINE Vector<T> next(Vector<T> flow, Index i, const Lanes& lanes) const {
    lanes.write(out + i, F::apply(x.of(flow, i, lanes), y.of(flow, i, lanes)));
    return flow;
  }
};

template <class T>
struct SameBits;
template <>
struct SameBits<float> {
  using type = uint32_t;
};
template <>
struct SameBits<double> {
  using type = uint64_t;
};

template <class T, class F, Mode a, Mode b>
struct Choose {
  using Bits = typename SameBits<T>::type;
  const uint8_t* condition;
  Operand<T, a> x;
  Operand<T, b> y;
  THALWEG_INLINE Choose(const Link* link, std::byte* const* table)
      : condition((const uint8_t*)table[link->places[0]]),
        x(table[link->places[1]]),
        y(table[link->places[1]]) {}
  template <class Lanes>
  THALWEG_INLINE Vector<T> next(Vector<T> flow, Index i, const Lanes& lanes) const {
    return (Vector<T>)F::apply(lanes.read(condition + i),
                               (Vector<Bits>)x.of(flow, i, lanes),
                               (Vector<Bits>)y.of(flow, i, lanes));
  }
};

template <class T>
struct Leave {
  T* out;
  THALWEG_INLINE Leave(const Link* link, std::byte* const* table)
      : out((T*)table[link->places[0]]) {}
  template <class Lanes>
  THALWEG_INLINE Vector<T> next(Vector<T> flow, Index i, const Lanes& lanes) const {
    lanes.write(out + i, flow);
    return flow;
  }
};

// The functions of links.

template <class T, class Work>
void run_whole(const Link* link, std::byte* const* table, Index i, Vector<T> a, Vector<T> b,
               Vector<T> c, Vector<T> d) {
  constexpr int N = LANES<T>;
  const Work work(link, table);
  a = work.next(a, i, All<T>{});
  b = work.next(b, i + N, All<T>{});
  c = work.next(c, i + 2 * N, All<T>{});
  d = work.next(d, i + 3 * N, All<T>{});
  return ((WholeFunction<T>)link[1].whole)(link + 1, table, i, a, b, c, d);
}

template <class T, class Work>
void run_part(const Link* link, std::byte* const* table, Index i, Index count,
              Vector<T> a) {
  const Work work(link, table);
  a = work.next(a, i, Some<T>{count});
  return ((PartFunction<T>)link[1].part)(link + 1, table, i, count, a);
}

template <class T>
void end_whole(const Link*, std::byte* const*, Index, Vector<T>, Vector<T>, Vector<T>,
               Vector<T>) {}

template <class T>
void end_part(const Link*, std::byte* const*, Index, Index, Vector<T>) {}

// Which of them.

template <class T, class Work>
bool set(Link& link) {
  link.whole = (Link::Function)(WholeFunction<T>)run_whole<T, Work>;
  link.part = (Link::Function)(PartFunction<T>)run_part<T, Work>;
  return true;
}

template <class T>
bool set_load(Link& link) {
  return set<T, Compute<T, Copied, Mode::lies, Mode::absent, Mode::absent>>(link);
}

template <class T, class F>
bool set_unary(Link& link, unsigned flowing) {
  using enum Mode;
  return flowing == 1 && set<T, Compute<T, F, flows, absent, absent>>(link);
}

template <class T, class F>
bool set_binary(Link& link, unsigned flowing, unsigned fixed) {
  using enum Mode;
  if constexpr (F::HAS_DIVISOR)
    if (flowing == 1 && fixed) return set<T, DivideBy<T>>(link);
  if (flowing == 1)
    return fixed ? set<T, Compute<T, F, flows, stands, absent>>(link)
                 : set<T, Compute<T, F, flows, lies, absent>>(link);
  if (flowing == 2)
    return fixed ? set<T, Compute<T, F, stands, flows, absent>>(link)
                 : set<T, Compute<T, F, lies, flows, absent>>(link);
  return set<T, Compute<T, F, flows, flows, absent>>(link);
}

template <class T, class F>
bool set_ternary(Link& link, unsigned flowing, unsigned fixed) {
  using enum Mode;
  const bool last_stands = fixed & 4;
  if (flowing == 1 || flowing == 2) {  // a product is the same either way
    if (fixed & 3)
      return last_stands ? set<T, Compute<T, F, flows, stands, stands>>(link)
                         : set<T, Compute<T, F, flows, stands, lies>>(link);
    return last_stands ? set<T, Compute<T, F, flows, lies, stands>>(link)
                       : set<T, Compute<T, F, flows, lies, lies>>(link);
  }
  if (flowing == 3)
    return last_stands ? set<T, Compute<T, F, flows, flows, stands>>(link)
                       : set<T, Compute<T, F, flows, flows, lies>>(link);
  if (flowing != 4) return false;
  return (fixed & 3) == 0   ? set<T, Compute<T, F, lies, lies, flows>>(link)
         : (fixed & 3) == 1 ? set<T, Compute<T, F, stands, lies, flows>>(link)
         : (fixed & 3) == 2 ? set<T, Compute<T, F, lies, stands, flows>>(link)
                            : set<T, Compute<T, F, stands, stands, flows>>(link);
}

template <class T, class F>
bool set_compare(Link& link, unsigned flowing, unsigned fixed) {
  using enum Mode;
  if (flowing == 1)
    return fixed ? set<T, Compare<T, F, flows, stands>>(link)
                 : set<T, Compare<T, F, flows, lies>>(link);
  return flowing == 2 && (fixed ? set<T, Compare<T, F, stands, flows>>(link)
                                : set<T, Compare<T, F, lies, flows>>(link));
}

template <class T, class F>
bool set_choose(Link& link, unsigned flowing, unsigned fixed) {
  using enum Mode;
  if (fixed & 1) return false;
  if (flowing == 2)
    return fixed ? set<T, Choose<T, F, flows, stands>>(link)
                 : set<T, Choose<T, F, flows, lies>>(link);
  return flowing == 4 && (fixed ? set<T, Choose<T, F, stands, flows>>(link)
                                : set<T, Choose<T, F, lies, flows>>(link));
}

template <class T>
bool set_end(Link& link) {
  link.whole = (Link::Function)(WholeFunction<T>)end_whole<T>;
  link.part = (Link::Function)(PartFunction<T>)end_part<T>;
  return true;
}

// By types: one for each of Types whose operations can be chained.

template <class T, class F, int operands>
bool link_real(Link& link, unsigned flowing, unsigned fixed) {
  if constexpr (operands == 1) {
    return set_unary<T, F>(link, flowing);
  } else if constexpr (operands == 2) {
    return set_binary<T, F>(link, flowing, fixed);
  } else {
    return set_ternary<T, F>(link, flowing, fixed);
  }
}

template <class T, class F, int operands>
bool link_number(Link& link, unsigned flowing, unsigned fixed) {
  return link_real<T, F, operands>(link, flowing, fixed);
}

template <class T, class F, int operands>
bool link_compared(Link& link, unsigned flowing, unsigned fixed) {
  return set_compare<T, F>(link, flowing, fixed);
}

template <class T, class F, int operands>
bool link_chosen(Link& link, unsigned flowing, unsigned fixed) {
  return set_choose<T, F>(link, flowing, fixed);
}

template <class T>
bool set_link(Link& link, Opcode opcode, unsigned flowing, unsigned fixed) {
  switch (opcode) {
    case Opcode::load: return set_load<T>(link);
    case Opcode::leave: return set<T, Leave<T>>(link);
    case Opcode::end: return set_end<T>(link);
#define THALWEG_alone(types, functor, operands) false
#define THALWEG_chained(types, functor, operands) \
  (link_##types<T, functor, operands>(link, flowing, fixed))
#define THALWEG_OTHER(name, version)
#define THALWEG_ELEMENTWISE(name, version, operands, types, cost, functor, links) \
  case Opcode::name: return THALWEG_##links(types, functor, operands);
      THALWEG_OPERATIONS(THALWEG_OTHER, THALWEG_ELEMENTWISE)
      THALWEG_JOINED(THALWEG_ELEMENTWISE)
#undef THALWEG_ELEMENTWISE
#undef THALWEG_OTHER
#undef THALWEG_chained
#undef THALWEG_alone
    default: return false;
  }
}

template <class T>
void run(Index n, const Link* links, std::byte* const* table) {
  constexpr Index N = LANES<T>;
  const auto whole = (WholeFunction<T>)links->whole;
  const auto part = (PartFunction<T>)links->part;
  const Vector<T> none{};
  Index i = 0;
  for (; i + WHOLE * N <= n; i += WHOLE * N) {
    whole(links, table, i, none, none, none, none);
  }
  for (; i < n; i += N) part(links, table, i, n - i < N ? n - i : N, none);
}

}  // namespace chains

inline bool link(Link& link, Opcode opcode, Dtype dtype, unsigned flowing, unsigned fixed) {
  switch (dtype) {
    case Dtype::float32: return chains::set_link<float>(link, opcode, flowing, fixed);
    case Dtype::float64: return chains::set_link<double>(link, opcode, flowing, fixed);
    default: return false;
  }
}

inline void run_chain(Dtype dtype, Index n, const Link* links, std::byte* const* table) {
  dtype == Dtype::float64 ? chains::run<double>(n, links, table)
                          : chains::run<float>(n, links, table);
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
