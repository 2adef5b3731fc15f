#pragma once

#include "taugrad/graph/op.h"

/// What a chunk of a recurrence with a gate for each number of a line is made of. Lines, a step
/// each, are [..,C,d]; what is left at step i of a number of step j is
///   L[i,j,d] = a[j+1,d] .. a[i,d],
/// which is multiplied up on the way and never stored.
namespace taugrad {

extern const Op kScan, kGatedScores, kGatedSums, kGatedSlopes;

/// Which way the steps of the first axis are gone through.
enum class Way { forwards, backwards };

/// H[i] = a[i] H[i-1] + x[i]; backwards: H[i] = x[i] + a[i+1] H[i+1].
Var scan(Var a, Var x, Way way = Way::forwards);

/// [..,C,C]: sum over d of q[i,d] k[j,d] L[i,j,d], 0 for j > i.
Var gated_scores(Var q, Var k, Var a);

/// Of weights m [..,C,C], what stands above the diagonal has no part. [..,C,d]: line i is the sum
/// over j <= i of m[i,j] L[i,j] x[j]; backwards: line j the sum over i >= j of m[i,j] L[i,j] x[i].
Var gated_sums(Var m, Var x, Var a, Way way = Way::forwards);

/// [..,C,d]: the derivative by a of the sum over i, j and d of m[i,j] q[i,d] k[j,d] L[i,j,d].
Var gated_slopes(Var m, Var q, Var k, Var a);

}  // namespace taugrad
