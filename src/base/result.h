// Errors as values: the one error type of the product.
//
// Functions that can fail return Result<T>. Exceptions of libraries are caught in the folder that
// wraps the library and never leave it. Context is added once, where a failure crosses a layer; it
// is logged once, at the boundary that decides.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace cc {

// The closed set of reasons. Each protocol turns it into its own codes in one place.
enum class Code {
  invalid_argument,
  not_found,
  already_exists,
  conflict,  // the writer had not seen the newest version (If-Match)
  unauthenticated,
  permission_denied,
  unavailable,  // nothing was done, or the outcome is unknown: repeat under the same request id
  timeout,
  exhausted,  // a limit was reached: too large, too many, too fast
  corruption,
  internal,
};

// "invalid_argument", "not_found", ... as they stand in the API.
std::string_view to_string(Code code) noexcept;

// The reverse; `internal` for a name that is none.
Code code_of(std::string_view name) noexcept;

struct Error {
  Code code = Code::internal;
  std::string message;       // for a human: what happened, and what to do next
  std::string details = {};  // for a program: a JSON object as text, or empty

  // "open /data/state.db: <message>", same code.
  [[nodiscard]] Error with_context(std::string_view doing) &&;
};

template <class T = void>
using Result = std::expected<T, Error>;

// return fail(Code::not_found, "no environment \"pord\"; there are: dev, prod");
[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string message, std::string details = {}) {
  return std::unexpected<Error>(Error{code, std::move(message), std::move(details)});
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

}  // namespace cc

#define CC_CAT_(a, b) a##b
#define CC_CAT(a, b) CC_CAT_(a, b)
#define CC_TRY_(ret, tmp, decl, ...)                     \
  auto tmp = (__VA_ARGS__);                              \
  if (!tmp) ret std::unexpected(std::move(tmp).error()); \
  decl = *std::move(tmp)
#define CC_TRYV_(ret, tmp, ...) \
  if (auto tmp = (__VA_ARGS__); !tmp) ret std::unexpected(std::move(tmp).error())

// TRY(auto user, find_user(name));   TRYV(check(user));   CO_TRY, CO_TRYV: the same in a coroutine.
#define TRY(decl, ...) CC_TRY_(return, CC_CAT(try_, __COUNTER__), decl, __VA_ARGS__)
#define TRYV(...) CC_TRYV_(return, CC_CAT(try_, __COUNTER__), __VA_ARGS__)
#define CO_TRY(decl, ...) CC_TRY_(co_return, CC_CAT(try_, __COUNTER__), decl, __VA_ARGS__)
#define CO_TRYV(...) CC_TRYV_(co_return, CC_CAT(try_, __COUNTER__), __VA_ARGS__)
