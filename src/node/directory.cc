#include "node/directory.h"

namespace cc::node {

identity::DirectoryPtr make_directory(const state::Identity& identity, const Settings& settings) {
  identity::Directory::Content content;
  content.users = identity.users;
  content.keys = identity.keys;
  for (const auto& token : identity.revoked_tokens)
    content.revoked_tokens.insert(token.id);
  for (const Application& application : identity.applications) {
    if (!application.department.empty()) content.departments.emplace(application.name, application.department);
  }
  return std::make_shared<const identity::Directory>(std::move(content), settings.security.jwt_secret,
                                                     settings.security.anonymous_read);
}

}  // namespace cc::node
