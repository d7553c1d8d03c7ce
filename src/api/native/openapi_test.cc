// Holds openapi.json against the routes that the server has, in both directions, and against itself.
#include "embedded/openapi.h"

#include <algorithm>
#include <map>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/native/routes.h"
#include "api/native/test_api.h"
#include "http/compress.h"
#include "service/test_node.h"

namespace cc::api::native {
namespace {

namespace json = boost::json;
using testing::ElementsAreArray;
using testing::IsEmpty;

constexpr std::array<std::string_view, 5> kMethods = {"get", "head", "put", "post", "delete"};

const json::object& document() {
  static const json::value parsed = json::parse(embedded::openapi.front().second);
  return parsed.as_object();
}

struct Operation {
  std::string path, method;
  const json::object* item = nullptr;       // the path's
  const json::object* operation = nullptr;  // its own
  std::string name() const { return method + " " + path; }
};

std::vector<Operation> operations() {
  std::vector<Operation> all;
  for (const auto& [path, item] : document().at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (std::ranges::find(kMethods, std::string_view(method)) == kMethods.end()) continue;
      all.push_back({.path = std::string(path),
                     .method = std::string(method),
                     .item = &item.as_object(),
                     .operation = &operation.as_object()});
    }
  }
  return all;
}

// What "#/components/schemas/User" points to; null when it points nowhere.
const json::value* find(std::string_view reference) {
  if (!reference.starts_with("#/")) return nullptr;
  boost::system::error_code missing;
  const json::value* found = nullptr;
  static const json::value whole(document());
  found = whole.find_pointer(reference.substr(1), missing);
  return missing ? nullptr : found;
}

const json::object& resolve(const json::value& node) {
  const json::object& object = node.as_object();
  if (const json::value* reference = object.if_contains("$ref")) return resolve(*find(reference->as_string()));
  return object;
}

template <class Visit>
void each_object(const json::value& node, const Visit& visit) {
  if (node.is_object()) {
    visit(node.get_object());
    for (const auto& member : node.get_object())
      each_object(member.value(), visit);
  } else if (node.is_array()) {
    for (const json::value& item : node.get_array())
      each_object(item, visit);
  }
}

// As much of JSON Schema as the document uses. Returns what is wrong, or "".
std::string violation(const json::object& schema, const json::value& value);

std::string violation_of_type(const json::object& schema, const json::value& value) {
  const json::value* type = schema.if_contains("type");
  if (type == nullptr) return "";
  const std::string_view wanted = type->as_string();
  const bool holds = (wanted == "string" && value.is_string()) || (wanted == "boolean" && value.is_bool()) ||
                     (wanted == "integer" && (value.is_int64() || value.is_uint64())) ||
                     (wanted == "number" && value.is_number()) || (wanted == "array" && value.is_array()) ||
                     (wanted == "object" && value.is_object());
  return holds ? "" : fmt::format("{} is not a {}", json::serialize(value), wanted);
}

std::string violation_of_members(const json::object& schema, const json::object& value) {
  if (const json::value* required = schema.if_contains("required")) {
    for (const json::value& name : required->as_array()) {
      if (!value.contains(name.as_string())) return fmt::format("{} is missing", name.as_string().c_str());
    }
  }
  const json::value* properties = schema.if_contains("properties");
  if (properties == nullptr) return "";
  for (const auto& member : value) {
    const json::value* property = properties->as_object().if_contains(member.key());
    if (property == nullptr) return fmt::format("{} is not in the schema", std::string_view(member.key()));
    if (auto wrong = violation(resolve(*property), member.value()); !wrong.empty())
      return fmt::format("{}: {}", std::string_view(member.key()), wrong);
  }
  return "";
}

std::string violation(const json::object& schema, const json::value& value) {
  if (const json::value* choices = schema.if_contains("oneOf")) {
    const auto fits = std::ranges::count_if(
        choices->as_array(), [&](const json::value& one) { return violation(resolve(one), value).empty(); });
    return fits == 1 ? "" : fmt::format("fits {} of oneOf", fits);
  }
  if (auto wrong = violation_of_type(schema, value); !wrong.empty()) return wrong;
  if (const json::value* choices = schema.if_contains("enum")) {
    const auto& all = choices->as_array();
    if (std::ranges::find(all, value) == all.end()) return fmt::format("{} is none of enum", json::serialize(value));
  }
  if (value.is_object()) return violation_of_members(schema, value.get_object());
  if (const json::value* items = schema.if_contains("items"); items != nullptr && value.is_array()) {
    for (const json::value& item : value.get_array()) {
      if (auto wrong = violation(resolve(*items), item); !wrong.empty()) return wrong;
    }
  }
  return "";
}

// "/v1/configs/{env}/{app}/{cluster}/{name...}": OpenAPI has no name for a capture of several segments.
std::string template_of(std::string pattern) {
  if (const auto dots = pattern.find("...}"); dots != std::string::npos) pattern.erase(dots, 3);
  return pattern;
}

std::string method_of(http::Method method) {
  std::string name(http::to_string(method));
  std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  return name;
}

std::set<std::string> routes() {
  service::TestNode node;
  http::Router router;
  add_all_routes(router, node.context());
  std::set<std::string> all;
  for (const auto& [method, pattern] : router.routes())
    all.insert(method_of(method) + " " + template_of(pattern));
  return all;
}

TEST(OpenApi, is_a_document_of_version_3_1) {
  EXPECT_EQ(document().at("openapi").as_string(), "3.1.0");
  EXPECT_EQ(document().at("info").at("title").as_string(), "config-center");
}

TEST(OpenApi, describes_every_route_and_no_other) {
  const std::set<std::string> served = routes();
  std::set<std::string> described;
  for (const Operation& one : operations())
    described.insert(one.name());
  for (const std::string& route : served)
    EXPECT_TRUE(described.contains(route)) << route << " is served and not described";
  for (const std::string& name : described) {
    const bool head_of_get = name.starts_with("head ") && served.contains("get " + name.substr(5));
    EXPECT_TRUE(served.contains(name) || head_of_get) << name << " is described and not served";
  }
  EXPECT_GT(served.size(), 40u);
}

TEST(OpenApi, every_reference_points_somewhere_and_every_component_is_referred_to) {
  std::set<std::string> referred;
  each_object(json::value(document()), [&](const json::object& object) {
    const json::value* reference = object.if_contains("$ref");
    if (reference == nullptr) return;
    const std::string text(reference->as_string());
    EXPECT_NE(find(text), nullptr) << text;
    referred.insert(text);
  });
  for (const auto& kind : document().at("components").as_object()) {
    if (kind.key() == "securitySchemes") continue;
    for (const auto& component : kind.value().as_object()) {
      const std::string text =
          fmt::format("#/components/{}/{}", std::string_view(kind.key()), std::string_view(component.key()));
      EXPECT_TRUE(referred.contains(text)) << text << " is used nowhere";
    }
  }
}

TEST(OpenApi, every_operation_has_an_id_of_its_own_a_tag_and_a_summary) {
  std::set<std::string> ids, tags;
  for (const json::value& tag : document().at("tags").as_array())
    tags.insert(std::string(tag.at("name").as_string()));
  for (const Operation& one : operations()) {
    ASSERT_TRUE(one.operation->contains("operationId")) << one.name();
    EXPECT_TRUE(ids.insert(std::string(one.operation->at("operationId").as_string())).second) << one.name();
    EXPECT_TRUE(tags.contains(std::string(one.operation->at("tags").at(0).as_string()))) << one.name();
    EXPECT_FALSE(one.operation->at("summary").as_string().empty()) << one.name();
  }
}

TEST(OpenApi, the_captures_of_a_path_are_its_parameters) {
  for (const Operation& one : operations()) {
    std::set<std::string> wanted, described;
    for (std::size_t at = one.path.find('{'); at != std::string::npos; at = one.path.find('{', at + 1))
      wanted.insert(one.path.substr(at + 1, one.path.find('}', at) - at - 1));
    std::set<std::pair<std::string, std::string>> seen;
    for (const json::object* holder : {one.item, one.operation}) {
      const json::value* parameters = holder->if_contains("parameters");
      if (parameters == nullptr) continue;
      for (const json::value& each : parameters->as_array()) {
        const json::object& parameter = resolve(each);
        const std::string name(parameter.at("name").as_string()), where(parameter.at("in").as_string());
        EXPECT_TRUE(seen.emplace(where, name).second) << one.name() << " has " << name << " twice";
        EXPECT_TRUE(parameter.contains("description") && parameter.contains("schema")) << one.name() << " " << name;
        if (where == "path") described.insert(name);
        if (where == "path") EXPECT_TRUE(parameter.at("required").as_bool()) << one.name() << " " << name;
      }
    }
    EXPECT_THAT(described, ElementsAreArray(wanted)) << one.name();
  }
}

TEST(OpenApi, every_operation_says_what_it_answers_also_when_it_fails) {
  for (const Operation& one : operations()) {
    const json::object& responses = one.operation->at("responses").as_object();
    bool success = false;
    for (const auto& response : responses) {
      const json::object& described = resolve(response.value());
      EXPECT_FALSE(described.at("description").as_string().empty())
          << one.name() << " " << std::string_view(response.key());
      success = success || response.key().starts_with('2');
      if (response.key() < "400") continue;
      const json::object& content = described.at("content").as_object();
      EXPECT_TRUE(content.contains("application/json")) << one.name() << " " << std::string_view(response.key());
    }
    EXPECT_TRUE(success) << one.name();
    for (const char* always : {"400", "500", "503"})
      EXPECT_TRUE(responses.contains(always)) << one.name() << " lacks " << always;
    const json::value* security = one.operation->if_contains("security");
    const bool open = security != nullptr && security->as_array().empty();
    if (!open) EXPECT_TRUE(responses.contains("401")) << one.name();
    const bool changes = one.method != "get" && one.method != "head" && !open && one.path != "/v1/watch";
    if (changes) EXPECT_TRUE(responses.contains("504")) << one.name() << " waits for the log";
  }
}

TEST(OpenApi, every_body_has_an_example_and_every_example_fits_its_schema) {
  std::vector<std::string> without;
  const auto look_at = [&](const std::string& where, const json::value& content) {
    for (const auto& media : content.as_object()) {
      if (!std::string_view(media.key()).starts_with("application/json")) continue;
      const json::object& body = media.value().as_object();
      std::vector<json::value> examples;
      if (const json::value* example = body.if_contains("example")) examples.push_back(*example);
      if (const json::value* several = body.if_contains("examples")) {
        for (const auto& each : several->as_object())
          examples.push_back(each.value().at("value"));
      }
      if (examples.empty()) without.push_back(where);
      for (const json::value& example : examples)
        EXPECT_EQ(violation(resolve(body.at("schema")), example), "") << where;
    }
  };
  for (const Operation& one : operations()) {
    if (const json::value* body = one.operation->if_contains("requestBody"))
      look_at(one.name() + " body", body->at("content"));
    for (const auto& response : one.operation->at("responses").as_object()) {
      const json::object& described = resolve(response.value());
      if (const json::value* content = described.if_contains("content"))
        look_at(one.name() + " " + std::string(response.key()), *content);
    }
  }
  EXPECT_THAT(without, IsEmpty());
}

TEST(OpenApi, names_every_code_every_role_and_every_permission) {
  std::set<std::string> codes;
  for (int code = 0; code <= static_cast<int>(Code::internal); ++code)
    codes.emplace(to_string(static_cast<Code>(code)));
  const auto values_of = [](std::string_view pointer) {
    std::set<std::string> values;
    for (const json::value& value : find(pointer)->as_array())
      values.emplace(value.as_string());
    return values;
  };
  EXPECT_EQ(values_of("#/components/schemas/Error/properties/error/properties/code/enum"), codes);
  std::set<std::string> permissions;
  for (int permission = 0; permission <= static_cast<int>(Permission::operate); ++permission)
    permissions.emplace(to_string(static_cast<Permission>(permission)));
  EXPECT_EQ(values_of("#/components/schemas/Permission/enum"), permissions);
  std::set<std::string> roles;
  for (int role = 0; role <= static_cast<int>(Role::viewer); ++role)
    roles.emplace(to_string(static_cast<Role>(role)));
  EXPECT_EQ(values_of("#/components/schemas/Role/enum"), roles);
  std::set<std::string> formats;
  for (int format = 0; format <= static_cast<int>(Format::text); ++format)
    formats.emplace(to_string(static_cast<Format>(format)));
  EXPECT_EQ(values_of("#/components/schemas/Format/enum"), formats);
}

TEST(OpenApi, IsCompressedOnce) {
  TestApi api;
  http::Encodings encodings;
  std::vector<http::Response> sent;
  for (int i = 0; i < 2; ++i) {
    encodings.apply(sent.emplace_back(api.get("/openapi.json")), http::Coding::zstd);
    EXPECT_EQ(sent.back().header("Content-Encoding"), "zstd");
  }
  EXPECT_EQ(sent[0].bytes().data(), sent[1].bytes().data());
}

}  // namespace
}  // namespace cc::api::native
