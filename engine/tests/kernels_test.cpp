// Kernels that work element by element, and reductions, against long double.
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "tests/check.h"

namespace thalweg::tests {

namespace {

using Real = long double;
using Reference = Real (*)(Real, Real, Real);
using Limits = std::numeric_limits<double>;

constexpr std::size_t SIZES[] = {0, 1, 2, 3, 7, 16, 31, 67, 200};

// What each elementwise operation means. One that is missing here is an error.
const std::map<std::string, Reference> REFERENCES = {
    {"add", [](Real a, Real b, Real) { return a + b; }},
    {"subtract", [](Real a, Real b, Real) { return a - b; }},
    {"multiply", [](Real a, Real b, Real) { return a * b; }},
    {"divide", [](Real a, Real b, Real) { return a / b; }},
    {"negative", [](Real a, Real, Real) { return -a; }},
    {"power", [](Real a, Real b, Real) { return std::pow(a, b); }},
    {"maximum", [](Real a, Real b, Real) { return std::max(a, b); }},
    {"minimum", [](Real a, Real b, Real) { return std::min(a, b); }},
    {"absolute", [](Real a, Real, Real) { return std::fabs(a); }},
    {"sign", [](Real a, Real, Real) { return Real((a > 0) - (a < 0)); }},
    {"floor", [](Real a, Real, Real) { return std::floor(a); }},
    {"exp", [](Real a, Real, Real) { return std::exp(a); }},
    {"expm1", [](Real a, Real, Real) { return std::expm1(a); }},
    {"log", [](Real a, Real, Real) { return std::log(a); }},
    {"log1p", [](Real a, Real, Real) { return std::log1p(a); }},
    {"sqrt", [](Real a, Real, Real) { return std::sqrt(a); }},
    {"sin", [](Real a, Real, Real) { return std::sin(a); }},
    {"cos", [](Real a, Real, Real) { return std::cos(a); }},
    {"tanh", [](Real a, Real, Real) { return std::tanh(a); }},
    {"sigmoid", [](Real a, Real, Real) { return 1 / (1 + std::exp(-a)); }},
    {"softplus", [](Real a, Real, Real) { return std::log1p(std::exp(a)); }},
    {"erf", [](Real a, Real, Real) { return std::erf(a); }},
    {"equal", [](Real a, Real b, Real) { return Real(a == b); }},
    {"less", [](Real a, Real b, Real) { return Real(a < b); }},
    {"less_equal", [](Real a, Real b, Real) { return Real(a <= b); }},
    {"logical_and", [](Real a, Real b, Real) { return Real(a != 0 && b != 0); }},
    {"logical_not", [](Real a, Real, Real) { return Real(a == 0); }},
    {"select", [](Real a, Real b, Real c) { return a != 0 ? b : c; }},
    {"cast", [](Real a, Real, Real) { return a; }},
    {"stop_gradient", [](Real a, Real, Real) { return a; }},
    {"multiply_add", [](Real a, Real b, Real c) { return a * b + c; }},
    {"multiply_subtract", [](Real a, Real b, Real c) { return a * b - c; }},
    {"subtract_multiply", [](Real a, Real b, Real c) { return c - a * b; }},
};

// Numbers of a dtype, and how to read them as Real.
struct Numbers {
  Dtype dtype;
  std::vector<std::byte> bytes;

  std::size_t size() const { return bytes.size() / std::size_t(item_size(dtype)); }

  Real at(std::size_t i) const {
    switch (dtype) {
      case Dtype::float32: return read<float>(i);
      case Dtype::float64: return read<double>(i);
      case Dtype::int32: return read<std::int32_t>(i);
      case Dtype::uint32: return read<std::uint32_t>(i);
      default: return read<std::uint8_t>(i);
    }
  }

  void set(std::size_t i, double number) {
    switch (dtype) {
      case Dtype::float32: return write(i, static_cast<float>(number));
      case Dtype::float64: return write(i, number);
      case Dtype::int32: return write(i, static_cast<std::int32_t>(number));
      case Dtype::uint32: return write(i, static_cast<std::uint32_t>(std::fabs(number)));
      default: return write(i, static_cast<std::uint8_t>(number > 0));
    }
  }

 private:
  template <class T>
  T read(std::size_t i) const {
    T number;
    std::memcpy(&number, bytes.data() + i * sizeof(T), sizeof(T));
    return number;
  }
  template <class T>
  void write(std::size_t i, T number) {
    std::memcpy(bytes.data() + i * sizeof(T), &number, sizeof(T));
  }
};

Numbers empty(Dtype dtype, std::size_t count) {
  return {dtype, std::vector<std::byte>(count * std::size_t(item_size(dtype)))};
}

// Numbers that the operation takes, most of them near 0; `positive` where it wants that.
Numbers some(Dtype dtype, std::size_t count, bool positive) {
  Numbers numbers = empty(dtype, count);
  const std::vector<double> drawn = normal_numbers<double>(count, 5);
  for (std::size_t i = 0; i < count; ++i)
    numbers.set(i, positive ? std::fabs(drawn[i]) + 1e-3 : drawn[i]);
  return numbers;
}

bool wants_positive(const std::string& name) {
  return name == "log" || name == "log1p" || name == "sqrt" || name == "power";
}

Real epsilon(Dtype dtype) {
  return dtype == Dtype::float32   ? std::numeric_limits<float>::epsilon()
         : dtype == Dtype::float64 ? std::numeric_limits<double>::epsilon()
                                   : 0;
}

// How far a result may be from the true value: 4 units in the last place, or, of sums of
// products, of what is added.
Real tolerance(const Operation& operation, Dtype out, Real expected, const Real (&x)[3]) {
  const bool is_joined = operation.operands == 3 && operation.types == Types::real;
  const Real size =
      is_joined ? std::fabs(x[0] * x[1]) + std::fabs(x[2]) : std::fabs(expected);
  return 4 * epsilon(out) * size;
}

Dtype dtype_of(const Operation& operation, Dtype dtype, int operand) {
  return operation.types == Types::chosen && operand == 0 ? Dtype::boolean : dtype;
}

void check_operation(Opcode opcode, Dtype in, Dtype out, unsigned fixed) {
  const Operation& operation = thalweg::operation(opcode);
  const MapFunction function = kernels->map(opcode, in, out, fixed);
  if (!function) return;
  const Reference reference = REFERENCES.at(operation.name);
  for (const std::size_t count : SIZES) {
    std::vector<Numbers> operands;
    const void* data[3] = {};
    for (int i = 0; i < operation.operands; ++i) {
      const bool is_fixed = fixed >> i & 1;
      operands.push_back(some(dtype_of(operation, in, i), is_fixed ? 1 : count,
                              wants_positive(operation.name) && i == 0));
    }
    for (int i = 0; i < operation.operands; ++i)
      data[i] = operands[std::size_t(i)].bytes.data();
    Numbers result = empty(out, count + 1);
    result.set(count, 77);
    function(static_cast<Index>(count), result.bytes.data(), data[0], data[1], data[2]);
    for (std::size_t i = 0; i < count; ++i) {
      Real x[3] = {};
      for (std::size_t j = 0; j < operands.size(); ++j)
        x[j] = operands[j].at(fixed >> j & 1 ? 0 : i);
      const Real expected = reference(x[0], x[1], x[2]);
      const Real apart = std::fabs(result.at(i) - expected);
      CHECK(apart <= tolerance(operation, out, expected, x), operation.name, " of ",
            int(in), " at ", x[0], ", ", x[1], ", ", x[2], ": ", result.at(i), ", not ",
            expected);
    }
    Numbers kept = empty(out, 1);
    kept.set(0, 77);
    CHECK(result.at(count) == kept.at(0), operation.name, " writes too much");
  }
}

const Dtype DTYPES[] = {Dtype::float32, Dtype::float64, Dtype::int32,
                        Dtype::uint32,  Dtype::boolean, Dtype::uint8};

std::vector<Opcode> elementwise_operations() {
  std::vector<Opcode> found;
  for (int i = 0; i <= static_cast<int>(Opcode::subtract_multiply); ++i)
    if (OPERATIONS[i].types != Types::none) found.push_back(static_cast<Opcode>(i));
  return found;
}

// Whether a plan may hold a line from one dtype to another: as verify_map.cpp has it.
bool is_legal(Types types, Dtype in, Dtype out) {
  const bool is_number = in != Dtype::boolean && in != Dtype::uint8;
  const bool is_real = in == Dtype::float32 || in == Dtype::float64;
  switch (types) {
    case Types::number: return is_number && in == out;
    case Types::real: return is_real && in == out;
    case Types::truth: return in == Dtype::boolean && in == out;
    case Types::compared: return in != Dtype::uint8 && out == Dtype::boolean;
    case Types::cast: return out != Dtype::uint8;
    default: return in == out;
  }
}

TEST(every_operation_has_a_meaning_here) {
  for (const Opcode opcode : elementwise_operations())
    CHECK(REFERENCES.contains(operation(opcode).name), operation(opcode).name);
}

TEST(there_is_a_kernel_where_types_fit_and_none_elsewhere) {
  for (const Opcode opcode : elementwise_operations())
    for (const Dtype in : DTYPES)
      for (const Dtype out : DTYPES) {
        const bool has = kernels->map(opcode, in, out, 0) != nullptr;
        CHECK(has == is_legal(operation(opcode).types, in, out), operation(opcode).name,
              " from ", int(in), " to ", int(out));
      }
}

// Integers are small here: how they wrap has tests of its own.
TEST(operations_give_what_they_mean) {
  for (const Opcode opcode : elementwise_operations())
    for (const Dtype in : DTYPES)
      for (const Dtype out : DTYPES) {
        const bool is_negative_uint = in == Dtype::uint32 && (opcode == Opcode::subtract ||
                                                              opcode == Opcode::negative);
        const bool loses = opcode == Opcode::cast && in != out && out != Dtype::float64;
        if (is_negative_uint || loses) continue;
        for (unsigned fixed = 0; fixed < 8; ++fixed)
          check_operation(opcode, in, out, fixed);
      }
}

template <class T>
T compute(Opcode opcode, Dtype dtype, T a, T b) {
  T result{};
  kernels->map(opcode, dtype, dtype, 0)(1, &result, &a, &b, nullptr);
  return result;
}

TEST(whole_numbers_wrap) {
  constexpr std::int32_t least = INT32_MIN, most = INT32_MAX;
  CHECK(compute(Opcode::add, Dtype::int32, most, 1) == least);
  CHECK(compute(Opcode::subtract, Dtype::int32, least, 1) == most);
  CHECK(compute(Opcode::multiply, Dtype::int32, most, 2) == -2);
  CHECK(compute(Opcode::negative, Dtype::int32, least, 0) == least);
  CHECK(compute(Opcode::absolute, Dtype::int32, least, 0) == least);
  CHECK(compute(Opcode::absolute, Dtype::int32, -7, 0) == 7);
  CHECK(compute(Opcode::maximum, Dtype::int32, -1, 1) == 1);
  CHECK(compute(Opcode::maximum, Dtype::uint32, UINT32_MAX, 1u) == UINT32_MAX);
  CHECK(compute(Opcode::negative, Dtype::uint32, 1u, 0u) == UINT32_MAX);
}

template <class In, class Out>
void check_cast(Dtype in, Dtype out, const std::vector<double>& numbers) {
  std::vector<In> from;
  for (const double number : numbers) from.push_back(static_cast<In>(number));
  std::vector<Out> to(from.size());
  kernels->map(Opcode::cast, in, out, 0)(Index(from.size()), to.data(), from.data(),
                                         nullptr, nullptr);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Out expected =
        out == Dtype::boolean ? Out(from[i] != 0) : static_cast<Out>(from[i]);
    CHECK(to[i] == expected, int(in), " to ", int(out), " of ", +from[i], ": ", +to[i]);
  }
}

template <class In>
void check_casts(Dtype in, const std::vector<double>& numbers) {
  std::vector<double> counts;
  for (const double number : numbers)
    if (number >= 0) counts.push_back(number);
  if (sizeof(In) > 1 && in != Dtype::int32) counts.push_back(3e9);  // beyond int32
  check_cast<In, float>(in, Dtype::float32, numbers);
  check_cast<In, double>(in, Dtype::float64, numbers);
  check_cast<In, std::int32_t>(in, Dtype::int32, numbers);
  check_cast<In, std::uint32_t>(in, Dtype::uint32, counts);
  check_cast<In, std::uint8_t>(in, Dtype::boolean, numbers);
}

TEST(casts_are_those_of_the_language) {
  std::vector<double> numbers{0,    1,   -1,   0.5,        -0.5,    2.9,
                              -2.9, 1e6, -1e6, 2147483520, 16777217};
  for (const double number : normal_numbers<double>(50, 1000)) numbers.push_back(number);
  std::vector<double> counts;
  for (const double number : numbers) counts.push_back(std::fabs(number));
  check_casts<float>(Dtype::float32, numbers);
  check_casts<double>(Dtype::float64, numbers);
  check_casts<std::int32_t>(Dtype::int32, numbers);
  check_casts<std::uint32_t>(Dtype::uint32, counts);
  check_casts<std::uint8_t>(Dtype::boolean, {0, 1, 1, 0, 1});
  std::vector<double> bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(i);
  check_casts<std::uint8_t>(Dtype::uint8, bytes);
}

template <class T>
void check_special(Dtype dtype) {
  const T nan = std::numeric_limits<T>::quiet_NaN(),
          infinite = std::numeric_limits<T>::infinity();
  for (const Opcode opcode : {Opcode::maximum, Opcode::minimum}) {
    CHECK(std::isnan(compute(opcode, dtype, nan, T(1))));
    CHECK(std::isnan(compute(opcode, dtype, T(1), nan)));
  }
  CHECK(compute(Opcode::exp, dtype, -infinite, T(0)) == 0);
  CHECK(compute(Opcode::exp, dtype, infinite, T(0)) == infinite);
  CHECK(compute(Opcode::log, dtype, T(0), T(0)) == -infinite);
  CHECK(std::isnan(compute(Opcode::log, dtype, T(-1), T(0))));
  CHECK(compute(Opcode::tanh, dtype, infinite, T(0)) == 1);
  CHECK(compute(Opcode::sigmoid, dtype, -infinite, T(0)) == 0);
  for (const Opcode opcode : {Opcode::erf, Opcode::exp, Opcode::log, Opcode::tanh})
    CHECK(std::isnan(compute(opcode, dtype, nan, T(0))), operation(opcode).name);
  CHECK(std::signbit(compute(Opcode::sin, dtype, T(-0.0), T(0))));
}

TEST(numbers_that_are_not_finite) {
  check_special<float>(Dtype::float32);
  check_special<double>(Dtype::float64);
}

// Chains ----------------------------------------------------------------------------------

// One operation as a chain: it loads the operand that flows, computes, leaves the result.
template <class T>
void check_link(Opcode opcode, Dtype dtype, int flowing, unsigned fixed) {
  const Operation& operation = thalweg::operation(opcode);
  Link links[4] = {};
  if (!kernels->link(links[1], opcode, dtype, 1u << flowing, fixed)) return;
  const MapFunction function = kernels->map(opcode, dtype, dtype, fixed);
  if (!function) return;
  constexpr std::size_t COUNT = 157;
  std::vector<std::vector<T>> x;
  for (int i = 0; i < operation.operands; ++i) x.push_back(normal_numbers<T>(COUNT, 3));
  x.resize(3);
  if (opcode == Opcode::sqrt)
    for (T& number : x[0]) number = std::fabs(number);
  std::vector<T> alone(COUNT), chained(COUNT);
  std::byte* table[5] = {};
  int places = 0;
  for (int i = 0; i < 3; ++i)
    table[i] = reinterpret_cast<std::byte*>(x[std::size_t(i)].data());
  table[3] = reinterpret_cast<std::byte*>(chained.data());
  for (int i = 0; i < operation.operands; ++i)
    if (i != flowing) links[1].places[places++] = static_cast<std::uint32_t>(i);
  kernels->link(links[0], Opcode::load, dtype, 0, 0);
  links[0].places[0] = static_cast<std::uint32_t>(flowing);
  kernels->link(links[2], Opcode::leave, dtype, 0, 0);
  links[2].places[0] = 3;
  kernels->link(links[3], Opcode::end, dtype, 0, 0);
  function(COUNT, alone.data(), x[0].data(), x[1].data(), x[2].data());
  kernels->run_chain(dtype, COUNT, links, table);
  CHECK(std::memcmp(alone.data(), chained.data(), COUNT * sizeof(T)) == 0, operation.name,
        " with operand ", flowing, " flowing, ", fixed, " fixed");
}

TEST(a_link_gives_the_bits_of_its_function) {
  int links = 0;
  for (const Opcode opcode : elementwise_operations()) {
    const Operation& operation = thalweg::operation(opcode);
    if (operation.types != Types::real && operation.types != Types::number) continue;
    for (int flowing = 0; flowing < operation.operands; ++flowing)
      for (unsigned fixed = 0; fixed < 1u << operation.operands; ++fixed) {
        Link link;
        if (fixed >> flowing & 1) continue;
        links += kernels->link(link, opcode, Dtype::float32, 1u << flowing, fixed);
        check_link<float>(opcode, Dtype::float32, flowing, fixed);
        check_link<double>(opcode, Dtype::float64, flowing, fixed);
      }
  }
  CHECK(links > 30, links);
}

// Reductions ------------------------------------------------------------------------------

template <class T>
void check_reduction(Opcode opcode, Dtype dtype, Index outer, Index length, Index inner,
                     bool transposed) {
  const auto count = static_cast<std::size_t>(outer * length * inner);
  const std::vector<T> in = normal_numbers<T>(count, 100);
  const auto results = static_cast<std::size_t>(outer * inner);
  std::vector<T> out(results);
  std::vector<std::int32_t> places(results);
  const bool is_place = opcode == Opcode::argmax;
  const Index item = sizeof(T), out_item = is_place ? 4 : item;
  Reduction call{};
  call.opcode = opcode;
  call.dtype = dtype;
  call.outer = outer, call.length = length, call.inner = inner;
  call.in = in.data();
  call.in_outer = transposed ? item : length * inner * item;
  call.in_length = transposed ? outer * inner * item : inner * item;
  call.in_inner = transposed ? outer * item : item;
  call.out = is_place ? static_cast<void*>(places.data()) : out.data();
  call.out_outer = inner * out_item;
  call.out_inner = out_item;
  kernels->reduce(call);
  for (Index o = 0; o < outer; ++o)
    for (Index i = 0; i < inner; ++i) {
      const auto at = [&](Index l) {
        const Index bytes = o * call.in_outer + l * call.in_length + i * call.in_inner;
        return static_cast<Real>(in[static_cast<std::size_t>(bytes / item)]);
      };
      Real sum = 0, size = 0, most = at(0);
      Index where = 0;
      for (Index l = 0; l < length; ++l) {
        sum += at(l);
        size += std::fabs(at(l));
        if (at(l) > most) most = at(l), where = l;
      }
      const auto result = static_cast<std::size_t>(o * inner + i);
      if (opcode == Opcode::sum)
        CHECK(std::fabs(out[result] - sum) <= size * 8 * epsilon(dtype), out[result],
              ", not ", sum);
      else if (is_place)
        CHECK(places[result] == where, places[result], ", not ", where);
      else
        CHECK(out[result] == most, out[result], ", not ", most);
    }
}

TEST(reductions_give_sums_maxima_and_their_places) {
  for (const Opcode opcode : {Opcode::sum, Opcode::max, Opcode::argmax})
    for (const Index outer : {1, 3, 40})
      for (const Index length : {1, 5, 33, 300})
        for (const Index inner : {1, 2, 19})
          for (const bool transposed : {false, true}) {
            check_reduction<float>(opcode, Dtype::float32, outer, length, inner,
                                   transposed);
            check_reduction<double>(opcode, Dtype::float64, outer, length, inner,
                                    transposed);
            check_reduction<std::int32_t>(opcode, Dtype::int32, outer, length, inner,
                                          transposed);
          }
}

}  // namespace

}  // namespace thalweg::tests
