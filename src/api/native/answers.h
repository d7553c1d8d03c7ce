// Answers that several subjects share: content with its headers, changes, lines of a history, as docs/api.md has them.
#pragma once

#include <boost/json.hpp>

#include "base/task.h"
#include "http/exchange.h"
#include "model/words.h"
#include "service/configs.h"

namespace cc::api::native {

namespace json = boost::json;

// Content as it was published, without copying it; 304 when the request's If-None-Match has it already.
http::Response content_answer(const http::Request& request, ReleasePtr release);
// 404; of a tombstone with its revision. `release` may be null.
http::Response no_content_answer(const http::Request& request, std::string_view key, const ReleasePtr& release);

// {"key","version","revision","md5","sha256"} of the one config that was published.
Result<http::Response> published_answer(const service::Change& change);
// X-Config-Repeated, when the outcome is that of an earlier request.
void mark_repeated(http::Response& response, bool repeated);

json::object info_json(const ReleaseInfo& info);   // a line of a history
json::object change_json(const Release& release);  // what watchers are told
json::object published_json(const service::Published& published);

// A handler's answer that is there already.
Task<http::Response> ready(http::Response response);

}  // namespace cc::api::native
