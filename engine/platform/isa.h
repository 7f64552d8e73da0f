// Which instruction sets this build holds and this machine and its system can run.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace thalweg {

// Best first; never empty.
const std::vector<const Kernels*>& available_kernels();

// The kernels of that name. Throws std::invalid_argument if there are none.
const Kernels& kernels_named(const std::string& name);

// Those that THALWEG_ISA names, or else the best.
const Kernels& default_kernels();

}  // namespace thalweg
