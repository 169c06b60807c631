// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/make_backend.hpp"

#include <fmt/ranges.h>

#include <array>
#include <string>

#include "kernels/eigen/eigen_backend.hpp"
#include "kernels/reference/reference_backend.hpp"
#include "kernels/simd/simd_backend.hpp"
#include "kernels/simd/targets.hpp"
#if INTERPSCALE_HAS_BLAS
#include "kernels/blas/blas_backend.hpp"
#endif

namespace interpscale::kernels {
namespace {

template <class T>
struct Entry {
  std::string_view name;
  Result<std::unique_ptr<Backend<T>>> (*make)(std::string_view simd_target);
};

template <class T, template <class> class Concrete>
Result<std::unique_ptr<Backend<T>>> make_without_target(std::string_view simd_target) {
  auto backend = std::make_unique<Concrete<T>>();
  if (!simd_target.empty()) {
    return fail("backend '{}' has no instruction sets to choose from, found '{}'; only 'simd' has",
                backend->name(), simd_target);
  }
  return backend;
}

template <class T>
Result<std::unique_ptr<Backend<T>>> make_simd(std::string_view simd_target) {
  const Result<simd::TargetBit> target = simd::find_target(simd_target);
  if (!target) {
    return tl::unexpected<Error>(target.error());
  }
  return std::make_unique<SimdBackend<T>>(*target);
}

template <class T>
constexpr std::array kEntries = {
    Entry<T>{"simd", make_simd<T>},
    Entry<T>{"eigen", make_without_target<T, EigenBackend>},
#if INTERPSCALE_HAS_BLAS
    Entry<T>{"blas", make_without_target<T, BlasBackend>},
#endif
    Entry<T>{"reference", make_without_target<T, ReferenceBackend>},
};

}  // namespace

template <class T>
std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const Entry<T>& entry : kEntries<T>) {
    names.emplace_back(entry.name);
  }
  return names;
}

template <class T>
Result<std::unique_ptr<Backend<T>>> make_backend(std::string_view name,
                                                 std::string_view simd_target) {
  for (const Entry<T>& entry : kEntries<T>) {
    if (entry.name == name) {
      return entry.make(simd_target);
    }
  }
  return fail("backend: found '{}', wanted one of {}", name, fmt::join(backend_names<T>(), ", "));
}

template std::vector<std::string> backend_names<float>();
template std::vector<std::string> backend_names<double>();
template Result<std::unique_ptr<Backend<float>>> make_backend<float>(std::string_view,
                                                                     std::string_view);
template Result<std::unique_ptr<Backend<double>>> make_backend<double>(std::string_view,
                                                                       std::string_view);

}  // namespace interpscale::kernels
