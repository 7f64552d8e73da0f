// What these tests need of a framework: tests that run one after the other, checks that
// say where and with what they fail, and the instruction set that is tested.
#pragma once

#include <cstdio>
#include <exception>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "platform/isa.h"

namespace thalweg::tests {

struct Test {
  const char* name;
  void (*run)();
};

inline std::vector<Test> all;
inline const Kernels* kernels = nullptr;
inline int failures = 0;

inline bool add(const char* name, void (*run)()) {
  all.push_back({name, run});
  return true;
}

template <class... What>
void fail(const char* file, int line, const What&... what) {
  std::ostringstream text;
  text.precision(17);
  (text << ... << what);
  if (++failures <= 20) std::printf("%s:%d: %s\n", file, line, text.str().c_str());
}

// One file of tests is one program; its argument is the instruction set.
inline int run_all(int count, char** arguments) {
  constexpr int SKIPPED = 77;
  const std::string wanted = count > 1 ? arguments[1] : default_kernels().name;
  for (const Kernels* const each : available_kernels())
    if (wanted == each->name) kernels = each;
  if (!kernels) return SKIPPED;
  for (const Test& test : all) {
    const int before = failures;
    try {
      test.run();
    } catch (const std::exception& error) {
      fail(test.name, 0, "raised ", error.what());
    }
    std::printf("%s %s\n", failures == before ? "passed" : "FAILED", test.name);
  }
  return failures ? 1 : 0;
}

inline std::mt19937& random() {
  static std::mt19937 generator(1);
  return generator;
}

// So many numbers of a normal distribution.
template <class T>
std::vector<T> normal_numbers(std::size_t count, double scale = 1) {
  std::normal_distribution<double> distribution(0, scale);
  std::vector<T> numbers(count);
  for (T& number : numbers) number = static_cast<T>(distribution(random()));
  return numbers;
}

}  // namespace thalweg::tests

#define TEST(name)                                                    \
  static void name();                                                 \
  static const bool name##_added = thalweg::tests::add(#name, &name); \
  static void name()

// CHECK(holds, what it was got with, …)
#define CHECK(holds, ...)                                                \
  do {                                                                   \
    if (!(holds))                                                        \
      thalweg::tests::fail(__FILE__, __LINE__,                           \
                           #holds __VA_OPT__(, " with ", ) __VA_ARGS__); \
  } while (false)

int main(int count, char** arguments) { return thalweg::tests::run_all(count, arguments); }
