// The kernels of one instruction set, compiled once for each with THALWEG_VARIANT as
// its name. No header of the C++ library here: an inline function compiled for a late
// instruction set could be the one that the linker keeps for all.
#include "kernels/chain.h"
#include "kernels/move.h"
#include "kernels/product_sparse.h"
#include "kernels/product_triangle.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/table.h"
#include "kernels/windows.h"
#include "kernels/windows_sparse.h"

#define THALWEG_TEXT_OF(name) #name
#define THALWEG_TEXT(name) THALWEG_TEXT_OF(name)
#define THALWEG_JOIN_OF(a, b) a##b
#define THALWEG_JOIN(a, b) THALWEG_JOIN_OF(a, b)

namespace thalweg {

const Kernels* THALWEG_JOIN(THALWEG_VARIANT, _kernels)() {
  using namespace THALWEG_VARIANT;
  static constexpr Kernels table = {.name = THALWEG_TEXT(THALWEG_VARIANT),
#define THALWEG_ENTRY(name) .name = name,
                                    THALWEG_KERNELS(THALWEG_ENTRY)
#undef THALWEG_ENTRY
  };
  return &table;
}

}  // namespace thalweg
