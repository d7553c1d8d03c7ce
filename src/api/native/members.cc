#include "api/native/members.h"

#include <fmt/format.h>

namespace cc::api::native {
namespace {

std::unexpected<Error> not_a(std::string_view type, std::string_view member) {
  return fail(Code::invalid_argument, fmt::format("\"{}\" must be {}", member, type));
}

}  // namespace

Result<std::optional<std::string>> optional_string(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(member);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return not_a("a string", member);
  return std::string(value->get_string());
}

Result<std::string> string_in(const json::object& object, std::string_view member) {
  TRY(auto found, optional_string(object, member));
  return std::move(found).value_or("");
}

Result<std::optional<bool>> optional_bool(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(member);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) return not_a("true or false", member);
  return value->get_bool();
}

Result<std::vector<std::string>> optional_strings(const json::object& object, std::string_view member) {
  std::vector<std::string> out;
  const json::value* value = object.if_contains(member);
  if (value == nullptr) return out;
  if (!value->is_array()) return not_a("an array of strings", member);
  for (const json::value& each : value->get_array()) {
    if (!each.is_string()) return not_a("an array of strings", member);
    out.emplace_back(each.get_string());
  }
  return out;
}

Result<std::string> required_string(const json::object& object, std::string_view member) {
  TRY(auto found, optional_string(object, member));
  if (!found) return fail(Code::invalid_argument, fmt::format("the body lacks \"{}\", a string", member));
  return *std::move(found);
}

}  // namespace cc::api::native
