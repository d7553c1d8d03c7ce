#include "backup/manifest.h"

#include <stdexcept>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "state/schema.h"

namespace cc::backup {
namespace {

namespace json = boost::json;

constexpr std::string_view kOwnSum = ",\"manifest_sha256\":\"";

json::object json_of(const History& history) {
  json::object out{{"hosts", history.hosts}, {"port", history.port}, {"database", history.database}};
  if (!history.trouble.empty()) {
    out["trouble"] = history.trouble;
    return out;
  }
  out["revision"] = history.revision;
  out["last_release"] = history.last_release;
  out["last_audit"] = history.last_audit;
  if (!history.included()) return out;
  out["dump_bytes"] = history.dump_bytes;
  out["dump_sha256"] = history.dump_sha256;
  return out;
}

std::uint64_t number_in(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::uint64_t>();
}
std::string text_in(const json::object& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

History history_of(const json::object& object) {
  History out{.hosts = text_in(object, "hosts"),
              .database = text_in(object, "database"),
              .port = object.at("port").to_number<std::uint16_t>()};
  if (object.contains("trouble")) {
    out.trouble = text_in(object, "trouble");
    return out;
  }
  out.revision = number_in(object, "revision");
  out.last_release = number_in(object, "last_release");
  out.last_audit = number_in(object, "last_audit");
  if (!object.contains("dump_sha256")) return out;
  out.dump_bytes = number_in(object, "dump_bytes");
  out.dump_sha256 = text_in(object, "dump_sha256");
  return out;
}

Result<Manifest> read(const json::object& object) {
  Manifest manifest{.format = object.at("format").to_number<std::int64_t>(),
                    .product = text_in(object, "product"),
                    .node_id = number_in(object, "node_id"),
                    .state_bytes = number_in(object, "state_bytes"),
                    .state_sha256 = text_in(object, "state_sha256")};
  TRY(manifest.time, parse_time(text_in(object, "time")));
  state::Contents& contents = manifest.contents;
  contents.schema = object.at("schema").to_number<std::int64_t>();
  contents.position.cluster_id = text_in(object, "cluster_id");
  contents.position.revision = number_in(object, "revision");
  contents.configs = number_in(object, "configs");
  contents.releases = number_in(object, "releases");
  contents.environments = number_in(object, "environments");
  contents.applications = number_in(object, "applications");
  contents.drafts = number_in(object, "drafts");
  contents.users = number_in(object, "users");
  contents.audit_records = number_in(object, "audit_records");
  if (const json::value* archive = object.if_contains("archive")) manifest.history = history_of(archive->as_object());
  if ((manifest.format > kFormatWithoutDump) != (manifest.history && manifest.history->included()))
    throw std::invalid_argument("its format is not what is in it");
  return manifest;
}

// Before anything else of it is believed; what is newer may have members that this version does not know.
Result<> must_be_known(const json::object& object) {
  const auto format = object.at("format").to_number<std::int64_t>();
  const auto schema = object.at("schema").to_number<std::int64_t>();
  if (format <= kFormat && schema <= state::newest_schema()) return {};
  return fail(
      Code::invalid_argument,
      fmt::format("the backup was made by config-center {}, which is newer (format {}, schema {}; this version "
                  "reads up to {} and {}): use that version, or a newer one",
                  std::string(object.at("product").as_string()), format, schema, kFormat, state::newest_schema()));
}

}  // namespace

std::string Manifest::encode() const {
  json::object object{{"format", format},
                      {"product", product},
                      {"time", format_time(time)},
                      {"node_id", node_id},
                      {"cluster_id", contents.position.cluster_id},
                      {"revision", contents.position.revision},
                      {"schema", contents.schema},
                      {"configs", contents.configs},
                      {"releases", contents.releases},
                      {"environments", contents.environments},
                      {"applications", contents.applications},
                      {"drafts", contents.drafts},
                      {"users", contents.users},
                      {"audit_records", contents.audit_records},
                      {"state_bytes", state_bytes},
                      {"state_sha256", state_sha256}};
  if (history) object["archive"] = json_of(*history);
  std::string text = json::serialize(object);
  text.pop_back();
  const std::string sum = sha256_hex(text);
  return fmt::format("{}{}{}\"}}\n", text, kOwnSum, sum);
}

Result<Manifest> Manifest::decode(std::string_view text) {
  const auto damaged = [](std::string_view why) {
    return fail(Code::corruption, fmt::format("the backup's manifest is damaged ({}): take another backup", why));
  };
  const auto at = text.rfind(kOwnSum);
  if (at == std::string_view::npos) return damaged("it has no checksum");
  if (text.substr(at + kOwnSum.size()) != sha256_hex(text.substr(0, at)) + "\"}\n")
    return damaged("its checksum does not match");
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return damaged("it is no JSON");
  try {
    TRYV(must_be_known(value.get_object()));
    return read(value.get_object());
  } catch (const std::exception&) {
    return damaged("something is missing in it, or does not fit the rest");
  }
}

std::string Manifest::name() const {
  std::string out;
  for (const char c : format_time(time))
    if (c != '-' && c != ':') out += c;
  if (const auto dot = out.find('.'); dot != std::string::npos) out = out.substr(0, dot) + "Z";
  return fmt::format("{}-r{}", out, contents.position.revision);
}

}  // namespace cc::backup
