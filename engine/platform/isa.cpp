#include "platform/isa.h"

#include <cstdlib>
#include <stdexcept>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace thalweg {

namespace {

#if defined(__x86_64__)

struct Cpuid {
  unsigned a = 0, b = 0, c = 0, d = 0;

  explicit Cpuid(unsigned leaf) {
    if (!__get_cpuid_count(leaf, 0, &a, &b, &c, &d)) a = b = c = d = 0;
  }
};

bool has(unsigned word, int bit) { return word >> bit & 1; }

// Which registers the system saves when it switches threads.
unsigned saved_registers() {
  if (!has(Cpuid(1).c, 27)) return 0;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool runs_avx2() {
  const Cpuid basic(1);
  const bool fma = has(basic.c, 12), avx = has(basic.c, 28), f16c = has(basic.c, 29);
  const bool saves = (saved_registers() & 0x6) == 0x6;
  return saves && fma && avx && f16c && has(Cpuid(7).b, 5);
}

bool runs_avx512() {
  const unsigned features = Cpuid(7).b;
  const bool saves = (saved_registers() & 0xe6) == 0xe6;
  return runs_avx2() && saves && has(features, 16) && has(features, 17) &&
         has(features, 30) && has(features, 31);
}

#endif

std::vector<const Kernels*> find_kernels() {
  std::vector<const Kernels*> found;
#if defined(THALWEG_HAS_AVX512)
  if (runs_avx512()) found.push_back(avx512_kernels());
#endif
#if defined(THALWEG_HAS_AVX2)
  if (runs_avx2()) found.push_back(avx2_kernels());
#endif
#if defined(THALWEG_HAS_NEON)
  found.push_back(neon_kernels());
#endif
#if defined(THALWEG_HAS_BASELINE)
  found.push_back(baseline_kernels());
#endif
  return found;
}

}  // namespace

const std::vector<const Kernels*>& available_kernels() {
  static const std::vector<const Kernels*> kernels = find_kernels();
  return kernels;
}

const Kernels& kernels_named(const std::string& name) {
  std::string known;
  for (const Kernels* const kernels : available_kernels()) {
    if (name == kernels->name) return *kernels;
    known += known.empty() ? "" : ", ";
    known += kernels->name;
  }
  throw std::invalid_argument("the instruction set must be one of " + known + ", got '" +
                              name + "'");
}

const Kernels& default_kernels() {
  const char* const wanted = std::getenv("THALWEG_ISA");
  return wanted && *wanted ? kernels_named(wanted) : *available_kernels().front();
}

}  // namespace thalweg
