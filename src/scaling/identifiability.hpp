// Can a design tell its predictors apart? Rank, condition number and variance inflation of the
// centred, scaled design (Belsley, Kuh and Welsch 1980, chapter 3).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "interpscale/scaling/two_factor.hpp"

namespace interpscale::scaling {

/// A design's predictors: log_columns [cells, predictors], without the intercept.
struct Design {
  std::vector<std::string> predictors;
  Eigen::MatrixXd log_columns;
};

struct DesignDiagnosis {
  Identifiability identifiability;  ///< rank and columns without the intercept
  std::vector<double> vifs;         ///< one a predictor; infinite where the rank is deficient
};

/// Identified iff full rank, the largest VIF at most `kLargestVif`, and a cell more than the fit
/// has numbers. VIF_j = 1 / (1 - R_j^2), R_j^2 of predictor j regressed on the others.
[[nodiscard]] DesignDiagnosis diagnose(const Design& design);

}  // namespace interpscale::scaling
