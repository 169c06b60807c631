// Philox4x32-10 with key = seed and counter = (index, stream); the first two of a block's four
// words are the value, so that a value is one block and needs no state. SPDX-License-Identifier:
// Apache-2.0
#include "interpscale/core/random.hpp"

#include <Random123/philox.h>

#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "interpscale/core/require.hpp"

namespace interpscale {
namespace {

std::uint32_t low_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value & 0xffffffffU);
}
std::uint32_t high_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32U);
}

/// The upper 64 bits of a * b, from four products of 32-bit halves.
std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t a_low = low_word(a);
  const std::uint64_t a_high = high_word(a);
  const std::uint64_t b_low = low_word(b);
  const std::uint64_t b_high = high_word(b);
  const std::uint64_t middle = a_high * b_low + high_word(a_low * b_low);
  const std::uint64_t other_middle = a_low * b_high + low_word(middle);
  return a_high * b_high + high_word(middle) + high_word(other_middle);
}

/// Natural logarithm of a normal positive number: x = 2^e m with m in [sqrt(1/2), sqrt(2)), and
/// log m = 2 atanh(s) with s = (m - 1) / (m + 1), |s| < 0.1716. The series in s^2 < 0.0295 stops at
/// s^22 / 23, below 2^-60 of its first term. libm's log differs between libraries, this does not.
double portable_log(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2.0;
    --exponent;
  }
  const double s = (mantissa - 1.0) / (mantissa + 1.0);
  const double square = s * s;
  double series = 1.0 / 23.0;
  for (int odd = 21; odd >= 3; odd -= 2) {
    series = series * square + 1.0 / odd;
  }
  // log 2 in two parts; the upper has 32 bits, so that its product with the exponent is exact.
  constexpr double kLog2High = 6.93147180369123816490e-01;
  constexpr double kLog2Low = 1.90821492927058770002e-10;
  const double e = exponent;
  return e * kLog2High + (2.0 * s + (2.0 * s * square * series + e * kLog2Low));
}

using Coefficients = std::array<double, 8>;

/// The polynomial with these coefficients, constant term first.
double polynomial(const Coefficients& coefficients, double x) {
  double value = 0.0;
  for (std::size_t i = coefficients.size(); i-- > 0;) {
    value = value * x + coefficients[i];
  }
  return value;
}

/// The standard normal's inverse distribution function: routine PPND16 of M. J. Wichura,
/// "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37
/// (1988); about 16 digits.
double normal_quantile(double p) {
  constexpr Coefficients kCentralNumerator = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                              1.9715909503065514427e3, 1.3731693765509461125e4,
                                              4.5921953931549871457e4, 6.7265770927008700853e4,
                                              3.3430575583588128105e4, 2.5090809287301226727e3};
  constexpr Coefficients kCentralDenominator = {1.0,
                                                4.2313330701600911252e1,
                                                6.8718700749205790830e2,
                                                5.3941960214247511077e3,
                                                2.1213794301586595867e4,
                                                3.9307895800092710610e4,
                                                2.8729085735721942674e4,
                                                5.2264952788528545610e3};
  constexpr Coefficients kTailNumerator = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                           5.76949722146069140550e0,  3.64784832476320460504e0,
                                           1.27045825245236838258e0,  2.41780725177450611770e-1,
                                           2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr Coefficients kTailDenominator = {1.0,
                                             2.05319162663775882187e0,
                                             1.67638483018380384940e0,
                                             6.89767334985100004550e-1,
                                             1.48103976427480074590e-1,
                                             1.51986665636164571966e-2,
                                             5.47593808499534494600e-4,
                                             1.05075007164441684324e-9};
  constexpr Coefficients kFarNumerator = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                          1.78482653991729133580e0,  2.96560571828504891230e-1,
                                          2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                          2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr Coefficients kFarDenominator = {1.0,
                                            5.99832206555887937690e-1,
                                            1.36929880922735805310e-1,
                                            1.48753612908506148525e-2,
                                            7.86869131145613259100e-4,
                                            1.84631831751005468180e-5,
                                            1.42151175831644588870e-7,
                                            2.04426310338993978564e-15};

  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kCentralNumerator, r) / polynomial(kCentralDenominator, r);
  }
  const double r = std::sqrt(-portable_log(q < 0.0 ? p : 1.0 - p));
  const double magnitude =
      r <= 5.0 ? polynomial(kTailNumerator, r - 1.6) / polynomial(kTailDenominator, r - 1.6)
               : polynomial(kFarNumerator, r - 5.0) / polynomial(kFarDenominator, r - 5.0);
  return q < 0.0 ? -magnitude : magnitude;
}

}  // namespace

std::uint64_t RandomStream::bits(std::uint64_t index) const {
  const r123::Philox4x32::key_type key = {{low_word(seed_), high_word(seed_)}};
  const r123::Philox4x32::ctr_type counter = {
      {low_word(index), high_word(index), low_word(stream_), high_word(stream_)}};
  const r123::Philox4x32::ctr_type words = r123::Philox4x32{}(counter, key);
  return (static_cast<std::uint64_t>(words[1]) << 32U) | words[0];
}

double RandomStream::uniform(std::uint64_t index) const {
  // Odd multiples of 2^-53: never 0 or 1, and exact, as is 1 - u.
  return static_cast<double>((bits(index) >> 11U) | 1U) * 0x1p-53;
}

double RandomStream::normal(std::uint64_t index) const {
  return normal_quantile(uniform(index));
}

std::uint64_t RandomStream::below(std::uint64_t index, std::uint64_t bound) const {
  require(bound > 0, "a random number below zero");
  return multiply_high(bits(index), bound);
}

std::vector<std::size_t> RandomStream::permutation(std::size_t count) const {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = count; i-- > 1;) {
    std::swap(order[i], order[below(i, i + 1)]);
  }
  return order;
}

}  // namespace interpscale
