#include "edge/writing.h"

#include <string>

#include <boost/json.hpp>

#include "base/text.h"

namespace cc::edge {
namespace {

void add_message(Redis& redis, const Keys& keys, const boost::json::object& message) {
  redis.add({"PUBLISH", keys.changes(), boost::json::serialize(message)});
}

}  // namespace

void add_release(Redis& redis, const Keys& keys, const Release& release) {
  const std::string content = keys.content(release.key_text), meta = keys.meta(release.key_text);
  redis.add({"DEL", content, meta});  // whatever somebody else has made of them, too
  if (release.deleted) return;
  redis.add({"HSET", meta, "version", std::to_string(release.version), "revision", std::to_string(release.revision),
             "format", to_string(release.format), "time", format_time(release.time), "author", release.author,
             "comment", release.comment});
  if (release.secret) {
    redis.add({"HSET", meta, "secret", "true"});  // no sums: a short secret is found by trying
    return;
  }
  redis.add({"SET", content, release.content});
  redis.add(
      {"HSET", meta, "md5", release.md5, "sha256", release.sha256, "size", std::to_string(release.content.size())});
}

void add_message(Redis& redis, const Keys& keys, const Release& release) {
  boost::json::object message{{"key", release.key_text},
                              {"revision", release.revision},
                              {"version", release.version},
                              {"deleted", release.deleted}};
  if (release.secret) message["secret"] = true;
  add_message(redis, keys, message);
}

void add_message_of_everything(Redis& redis, const Keys& keys, Revision revision) {
  add_message(redis, keys, {{"key", ""}, {"revision", revision}, {"version", 0}, {"deleted", false}});
}

}  // namespace cc::edge
