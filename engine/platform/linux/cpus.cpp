#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "platform/threads.h"

namespace thalweg {

namespace {

int by_affinity() {
  for (int most = 1024; most <= 1 << 20; most *= 4) {
    cpu_set_t* const set = CPU_ALLOC(static_cast<std::size_t>(most));
    if (!set) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(most));
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known) return std::max(count, 1);
  }
  return static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
}

constexpr double NO_LIMIT = 1e9;

// Version 2: "max 100000" or "150000 100000".
double quota_of_group(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period && period > 0 ? quota / period : NO_LIMIT;
}

// Version 1: two files; a quota of -1 is none.
double quota_of_old_group(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  const bool known = quota_file >> quota && period_file >> period;
  return known && quota > 0 && period > 0 ? quota / period : NO_LIMIT;
}

// The least quota of a group and the groups that it lies in.
template <class Quota>
double quota_upwards(const std::string& mount, std::string path, Quota quota) {
  double least = quota(mount);
  while (path.size() > 1) {
    least = std::min(least, quota(mount + path));
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  return least;
}

double by_group() {
  std::ifstream file("/proc/self/cgroup");
  double least = NO_LIMIT;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string number, controllers, path;
    std::getline(fields, number, ':');
    std::getline(fields, controllers, ':');
    std::getline(fields, path);
    if (controllers.empty())
      least = std::min(least, quota_upwards("/sys/fs/cgroup", path, quota_of_group));
    else if ((',' + controllers + ',').find(",cpu,") != std::string::npos)
      least =
          std::min(least, quota_upwards("/sys/fs/cgroup/cpu", path, quota_of_old_group));
  }
  return least;
}

}  // namespace

int cpu_count() {
  const int allowed = by_affinity();
  return static_cast<int>(std::clamp(std::ceil(by_group()), 1.0, double(allowed)));
}

}  // namespace thalweg
