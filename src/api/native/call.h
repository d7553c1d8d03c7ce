// What every handler of the native protocol does first and last: who calls, page parameters, JSON, errors.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "archive/archive.h"
#include "base/task.h"
#include "http/exchange.h"
#include "model/words.h"
#include "service/context.h"
#include "service/expected.h"
#include "service/freshness.h"
#include "state/queries.h"

namespace cc::api::native {

namespace json = boost::json;

// Who calls, until when; a failure to say who is audited; exhausted when they call too often. Once for each request.
// For handlers that keep their own frames small; the rest use authenticated().
Result<service::Call> call_of(service::Context& context, const http::Request& request);

using Act = std::function<Task<Result<http::Response>>(service::Call, http::Request&)>;

// Whether the client may send a body that takes memory: unauthenticated, and audited, unless it is logged in, or may
// read without.
Result<> admit_large_body(service::Context& context, const http::Request& request);

// A handler that authenticates (a failure is answered and audited), runs `act`, and turns its Error into the answer.
// Of a read, ?consistency= and ?min_revision= are done before `act`, and its answer says when it may be stale.
http::Handler authenticated(service::Context& context, Act act);

// The same without authentication: the call's caller is anonymous.
http::Handler open_to_all(service::Context& context, Act act);

Result<state::PageRequest> page_of(const http::Request& request);
Result<ConfigKey> key_of(const http::Request& request,
                         std::size_t first_capture = 0);  // captures env, app, cluster, name
// What a body may cost to parse.
struct JsonLimits {
  std::size_t bytes = 64u << 10, values = 1000;
};
// invalid_argument unless the body is a JSON object whose members are all among `known`, sent as application/json or
// without a type; exhausted when it is larger than the limits. No body is an object without members.
Result<json::object> object_of(const http::Request& request, std::initializer_list<std::string_view> known,
                               JsonLimits limits = {});
// ?name=true or false; nothing when it is not there.
Result<std::optional<bool>> flag_of(const http::Request& request, std::string_view name);
// If-Match: "<revision>" → revision; If-Match: * → anything; If-None-Match: * → 0; neither → nothing.
Result<std::optional<service::Expected>> expected_of(const http::Request& request);
// invalid_argument that names the first query parameter not in `known`.
Result<> only_query(const http::Request& request, std::initializer_list<std::string_view> known);
// The same for reads, all of which take ?consistency=strong and ?min_revision=N.
Result<> only_query_of_read(const http::Request& request, std::initializer_list<std::string_view> known);
Result<service::Freshness> freshness_of(const http::Request& request);
// X-Config-Stale, when what this node tells may be older than what others have acknowledged.
void mark_stale(const service::Context& context, http::Response& response);

// X-Config-Source: whether the node answers alone, or together with a server of the archive.
void mark_source(archive::Source source, http::Response& response);

http::Response json_response(unsigned status, const json::value& body);
template <class T, class ToJson>
json::object page_json(const state::Page<T>& page, const ToJson& to_json) {
  json::array items;
  for (const T& item : page.items)
    items.push_back(to_json(item));
  json::object out{{"items", std::move(items)}};
  if (!page.next.empty()) out["next"] = page.next;
  return out;
}

}  // namespace cc::api::native
