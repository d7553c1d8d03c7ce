// For tests: the installation of examples/topologies/full.yaml as a value, and the golden files of its hosts.
#pragma once

#include <string>
#include <string_view>

#include "deploy/rendering.h"

namespace cc::deploy {

Topology whole_topology();
Secrets test_secrets();

// The file of that path; fails the test when there is none.
RenderedFile file_at(const RenderedFiles& files, std::string_view path);
bool has_file(const RenderedFiles& files, std::string_view path);

// Holds text, whole, against a file of tests/deploy/golden. With WRITE_GOLDEN_FILES=1 in the environment it writes that
// instead.
void expect_golden(std::string_view name, const std::string& content);
// The same of the files of a component on a host: <host>/<path>, and their modes, owners and validators as
// <host>/<component>.files.
void expect_golden(std::string_view component, const Host& host, const RenderedFiles& files);

}  // namespace cc::deploy
