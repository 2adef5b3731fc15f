#include "taugrad/autodiff/jacobian.h"

#include <catch2/catch.hpp>
#include <functional>

#include "support_errors.h"
#include "support_gradients.h"
#include "taugrad/base/error.h"
#include "taugrad/graph/verify.h"

// Against closed forms, against each other, and differentiated again.
namespace {

using namespace taugrad;
using support::failure;

struct Point {
  Graph g;
  CheckPoint at;
  Point() { at.items = 2; }
  Var weight(const char* name, const Shape& shape) {
    return support::give(g.weight(name, shape), at, ++seed);
  }
  Var input(const char* name, const Shape& shape) {
    return support::give(g.input(name, shape), at, ++seed);
  }
  std::vector<double> value(Var v) const {
    Interpreter<double> run(g.tape(), {&v.id, 1});
    support::place(run, at);
    run.run();
    return {run.value(v.id).begin(), run.value(v.id).end()};
  }
  std::uint64_t seed = 0;
};

void same(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).margin(1e-13));
}

using support::code_of;

}  // namespace

TEST_CASE("the Jacobian of a product: the matrix, and each item's own by the matrix",
          "[jacobian]") {
  Point p;
  const Var W = p.weight("W", {3, 2}), x = p.input("x", {2}), y = matmul(W, x);
  const Var by_x = jacobian(y, x), by_w = jacobian(y, W);
  CHECK(by_x.shape() == Shape{3, 2});
  CHECK(by_x.per_example());
  const auto w = p.value(W), xs = p.value(x);
  std::vector<double> twice = w;  // for both items
  twice.insert(twice.end(), w.begin(), w.end());
  same(p.value(by_x), twice);
  // dy_i / dW_jk = [i = j] x_k, for each item
  CHECK(by_w.shape() == Shape{3, 3, 2});
  REQUIRE(by_w.per_example());
  std::vector<double> closed;
  for (std::size_t item = 0; item < 2; ++item)
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j)
        for (std::size_t k = 0; k < 2; ++k) closed.push_back(i == j ? xs[2 * item + k] : 0);
  same(p.value(by_w), closed);
  // summed over the batch, a value per example has the gradients of the items
  const Var total = jacobian(sum_items(y), x);
  CHECK(total.per_example());
  same(p.value(total), twice);
  verify(p.g.tape());
}

TEST_CASE("Jacobians by rows and by columns agree with closed forms", "[jacobian]") {
  Point p;
  const Var x = p.weight("x", {4}), s = softmax(x);
  std::vector<double> closed;
  const auto q = p.value(s);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) closed.push_back((i == j ? q[i] : 0) - q[i] * q[j]);
  same(p.value(jacobian(s, x)), closed);
  // fewer columns than rows, and fewer rows than columns
  const Var wide = concat({{s, s, x}}), narrow = slice(s, 1, 2);
  std::vector<double> three = closed;
  three.insert(three.end(), closed.begin(), closed.end());
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) three.push_back(i == j ? 1 : 0);
  CHECK(jacobian(wide, x).shape() == Shape{12, 4});
  same(p.value(jacobian(wide, x)), three);
  same(p.value(jacobian(narrow, x)), {closed.begin() + 4, closed.begin() + 8});
  // matrices by matrices, numbers by numbers
  const Var A = p.weight("A", {2, 2}), square = jacobian(matmul(A, A), A);
  CHECK(square.shape() == Shape{2, 2, 2, 2});
  const auto a = p.value(A);
  std::vector<double> of_square;
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t l = 0; l < 2; ++l)
      for (std::size_t j = 0; j < 2; ++j)
        for (std::size_t k = 0; k < 2; ++k)  // d (A A)_il / d A_jk
          of_square.push_back((i == j ? a[2 * k + l] : 0) + (l == k ? a[2 * i + j] : 0));
  same(p.value(square), of_square);
  const Var z = p.weight("z", {});
  CHECK(jacobian(z * z, z).shape() == Shape{});
  same(p.value(jacobian(z * z, z)), {2 * p.value(z)[0]});
  same(p.value(jacobian(x, z)), {0, 0, 0, 0});  // does not depend on it
  CHECK(jacobian(slice(x, 0, 0), x).shape() == Shape{0, 4});
  verify(p.g.tape());
}

TEST_CASE("the Hessian, its product with a vector, and of items their own", "[jacobian]") {
  Point p;
  const Var A = p.weight("A", {3, 3}), x = p.weight("x", {3}), v = p.weight("v", {3});
  const Var quadratic = matmul(matmul(x, A), x);
  const auto a = p.value(A), vs = p.value(v);
  std::vector<double> h, product(3, 0);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      h.push_back(a[3 * i + j] + a[3 * j + i]);
      product[i] += h.back() * vs[j];
    }
  same(p.value(hessian(quadratic, x)), h);
  same(p.value(hvp(quadratic, x, v)), product);
  // of a loss per example by what is shared: of the sum over the items
  const Var u = p.input("u", {3}), loss = pow(matmul(u, x), p.g.constant(3));
  const auto us = p.value(u), xs = p.value(x);
  std::vector<double> shared(9, 0), own;
  for (std::size_t item = 0; item < 2; ++item) {
    const double* r = us.data() + 3 * item;
    const double dot = r[0] * xs[0] + r[1] * xs[1] + r[2] * xs[2];
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) {
        shared[3 * i + j] += 6 * dot * r[i] * r[j];
        own.push_back(6 * dot * xs[i] * xs[j]);
      }
  }
  CHECK_FALSE(hessian(loss, x).per_example());
  same(p.value(hessian(loss, x)), shared);
  CHECK(hessian(loss, u).per_example());
  same(p.value(hessian(loss, u)), own);
  // several variables at once: H of (x, A) has blocks between them
  const Var dA = p.weight("dA", {3, 3});
  const Vars blocks = hvp(quadratic, Vars{x, A}, Vars{v, dA});
  const auto d = p.value(dA);
  for (std::size_t i = 0; i < 3; ++i) {
    double expected = product[i];
    for (std::size_t j = 0; j < 3; ++j) expected += (d[3 * i + j] + d[3 * j + i]) * xs[j];
    CHECK(p.value(blocks[0])[i] == Approx(expected));
  }
  CHECK(p.value(blocks[1])[1] == Approx(vs[0] * xs[1] + xs[0] * vs[1]));
  verify(p.g.tape());
}

TEST_CASE("products with the matrices are those of the matrices, for any graph", "[jacobian]") {
  Point p;
  const Var W = p.weight("W", {3, 3}), x = p.input("x", {3}), v = p.input("v", {3});
  const Var dW = p.weight("dW", {3, 3});
  const Var h = tanh(matmul(W, tanh(matmul(W, x)))), loss = sum(h * h);
  same(p.value(jvp(h, x, v)), p.value(matmul(jacobian(h, x), v)));
  same(p.value(jvp(h, W, dW)), p.value(matmul(reshape(jacobian(h, W), {3, 9}), reshape(dW, {9}))));
  same(p.value(hvp(loss, x, v)), p.value(matmul(hessian(loss, x), v)));
  same(p.value(hvp(loss, W, dW)),
       p.value(reshape(matmul(reshape(hessian(loss, W), {9, 9}), reshape(dW, {9})), {3, 3})));
  // differentiated again, and proven numerically
  const Var again = sum(jacobian(h, x)) + sum(hessian(loss, x)) + sum(hvp(loss, x, v));
  for (const int order : {1, 2})
    CHECK(failure(check_gradients(again, Vars{W, x}, p.at, {.order = order})) == "");
  // nothing took the names that a gradient gives
  CHECK(p.g.tape().find_value("grad:W") < 0);
}

TEST_CASE("what has no Jacobian is refused", "[jacobian]") {
  Point p, other;
  const Var a = p.weight("a", {2, 2, 2}), b = p.weight("b", {2, 2}), c = p.weight("c", {3});
  CHECK(code_of([&] { jacobian(a, b); }) == "G020");
  CHECK(code_of([&] { hessian(sum(a), a); }) == "G020");
  CHECK(code_of([&] { hessian(b, b); }) == "G023");
  CHECK(code_of([&] { hvp(b, b, b); }) == "G023");
  CHECK(code_of([&] { hvp(sum(b), b, c); }) == "G020");
  CHECK(code_of([&] { jvp(b, b, c); }) == "G020");
  CHECK(code_of([&] { hvp(sum(b), Vars{b, c}, Vars{b}); }) == "G023");
  CHECK(code_of([&] { jacobian(b, other.weight("b", {2})); }) == "G023");
  CHECK(code_of([&] { jacobian({}, b); }) == "G023");
  CHECK(code_of([&] { hvp({}, b, b); }) == "G023");
}
