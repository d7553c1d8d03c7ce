#include "service/audit.h"

#include <functional>
#include <memory>

#include "api/native/call.h"
#include "api/native/routes.h"
#include "base/text.h"

namespace cc::api::native {
namespace {

constexpr std::string_view kLines = "application/x-ndjson";
constexpr std::size_t kRecordsPerPiece = 500;  // of an export

// What stands in the state as the text of a JSON object.
void add_object(json::object& to, std::string_view member, const std::string& text) {
  if (text.empty()) return;
  boost::system::error_code broken;
  json::value value = json::parse(text, broken);
  to[member] = broken ? json::value(json::string(text)) : std::move(value);
}

json::object record_json(const AuditRecord& record) {
  json::object out{{"id", record.id},           {"time", format_time(record.time)}, {"actor", record.actor},
                   {"address", record.address}, {"request_id", record.request_id},  {"action", record.action},
                   {"target", record.target},   {"outcome", record.outcome}};
  if (!record.message.empty()) out["message"] = record.message;
  add_object(out, "before", record.before);
  add_object(out, "after", record.after);
  if (record.count > 1) out["count"] = record.count;
  out["revision"] = record.revision;
  return out;
}

std::string lines_of(const std::vector<AuditRecord>& records) {
  std::string lines;
  for (const AuditRecord& record : records)
    lines += json::serialize(record_json(record)) + "\n";
  return lines;
}

struct Export {
  service::Context& context;
  service::Call call;
  state::AuditFilter filter;
  state::Page<AuditRecord> page;  // to be written next
};

// A failure after the first piece is the last line, so that nobody takes half of it for all.
Task<> write_all(std::shared_ptr<Export> all, http::StreamWriter& writer) {
  for (;;) {
    if (!all->page.items.empty() && !co_await writer.write(lines_of(all->page.items))) co_return;
    if (all->page.next.empty()) co_return;
    auto next = co_await service::audit_records(all->context, all->call, all->filter,
                                                {.limit = kRecordsPerPiece, .cursor = all->page.next});
    if (!next) {
      const json::object line{{"error", {{"code", to_string(next.error().code)}, {"message", next.error().message}}}};
      co_await writer.write(json::serialize(line) + "\n");
      co_return;
    }
    all->page = std::move(next->value);
  }
}

Task<Result<http::Response>> export_all(service::Context& context, service::Call call, state::AuditFilter filter) {
  CO_TRY(auto page, co_await service::audit_records(context, call, filter, {.limit = kRecordsPerPiece, .cursor = {}}));
  auto all = std::make_shared<Export>(context, std::move(call), std::move(filter), std::move(page.value));
  http::Response response(200);
  mark_source(page.source, response);
  response.header("Content-Type", kLines);
  response.stream([all](http::StreamWriter& writer) { return write_all(all, writer); });
  co_return response;
}

Task<Result<http::Response>> list(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {"actor", "action", "target", "outcome", "from", "to", "limit", "cursor"}));
  CO_TRY(const state::PageRequest page, page_of(request));
  state::AuditFilter filter{.actor = request.query("actor").value_or(""),
                            .action = request.query("action").value_or(""),
                            .target_prefix = request.query("target").value_or(""),
                            .outcome = request.query("outcome").value_or(""),
                            .from = {},
                            .to = {}};
  if (const auto from = request.query("from")) {
    CO_TRY(filter.from, parse_time(*from));
  }
  if (const auto to = request.query("to")) {
    CO_TRY(filter.to, parse_time(*to));
  }
  if (request.method != http::Method::head && request.header("Accept").contains(kLines)) {
    if (request.query("limit") || request.query("cursor")) {
      co_return fail(Code::invalid_argument, "an export as application/x-ndjson is whole: leave out limit and cursor");
    }
    co_return co_await export_all(context, std::move(call), std::move(filter));
  }
  CO_TRY(const auto found, co_await service::audit_records(context, call, std::move(filter), page));
  http::Response response = json_response(200, page_json(found.value, record_json));
  mark_source(found.source, response);
  co_return response;
}

}  // namespace

void add_audit_routes(http::Router& router, service::Context& context) {
  router.add(http::Method::get, "/v1/audit", authenticated(context, std::bind_front(list, std::ref(context))));
}

}  // namespace cc::api::native
