#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "deploy/app.h"
#include "deploy/container.h"
#include "deploy/container_services.h"

namespace cc::deploy {
namespace {

// The runtime's packages are those that have the libraries the binary asks for: nothing to keep up to date here.
constexpr std::string_view kBuild = R"(# Made by: config-center container dockerfile
# Build it in a copy of the source: docker build -t config-center:VERSION -f Dockerfile SOURCE

FROM {0} AS build
WORKDIR /source
COPY script/bootstrap script/bootstrap
RUN script/bootstrap build
COPY . .
RUN cmake --preset release -DBUILD_TESTING=OFF \
 && cmake --build --preset release --target config-center \
 && install -D -s build/release/config-center /out/config-center
# Which packages have the libraries that it needs: they know those by either name of the folder.
RUN ldd /out/config-center | awk '/=> \// {{ print $3; print "/usr" $3 }}' | xargs dpkg-query -S 2> /dev/null \
  | cut -d: -f1 | sort -u > /out/packages && test -s /out/packages

FROM {0}
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="config-center" \
      org.opencontainers.image.description="A distributed configuration center" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
# The user is a number, since Kubernetes' runAsNonRoot believes nothing else; a volume that begins empty gets the owner
# that its folder has here.
COPY --from=build /out/packages /app/packages
RUN apt-get update && xargs apt-get install -y --no-install-recommends ca-certificates{2} < /app/packages \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 config-center \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir {1} --shell /usr/sbin/nologin config-center \
 && install -d -o 10001 -g 10001 -m 0700 {1}
COPY --from=build /out/config-center /app/config-center
COPY LICENSE /app/LICENSE
# No library is missing.
RUN ["/app/config-center", "version"]
ENV PATH=/app:$PATH
)";

std::string environment(const Topology& topology) {
  const App& app = topology.app;
  return fmt::format(
      "ENV DATA_DIR={0} TEMP_DIR=/tmp CONFIG_CENTER_SERVER_HOST=0.0.0.0 CONFIG_CENTER_SERVER_PORT={1} \\\n"
      "    CONFIG_CENTER_MONITORING_PROMETHEUS_PORT={2} CONFIG_CENTER_SERVER=http://127.0.0.1:{1}\n",
      app.data_dir, app.port, app.metrics_port);
}

std::string exposed(const Topology& topology) {
  std::string out = fmt::format("EXPOSE {} {}", topology.app.port, topology.app.metrics_port);
  for (const auto& port : topology.container.ports)
    if (port.container_port != topology.app.port && port.container_port != topology.app.metrics_port)
      out += fmt::format(" {}/{}", port.container_port, port.protocol);
  return out + "\n";
}

std::string health_check(const Container& container) {
  std::vector<std::string> test = health_test(container);
  const std::string how = test.front();
  test.erase(test.begin());
  std::string command = test.front();
  if (how == "CMD") {
    for (std::string& word : test)
      word = quoted_text(word, Dollars::as_they_are);
    command = fmt::format("[{}]", fmt::join(test, ", "));
  }
  return fmt::format("HEALTHCHECK --interval={} --timeout={} --start-period=20s --retries={} \\\n  CMD {}\n",
                     format_duration(container.health_check.interval), format_duration(container.health_check.timeout),
                     container.health_check.retries, command);
}

}  // namespace

std::string dockerfile(const Topology& topology) {
  const Container& container = topology.container;
  const bool dumps = std::ranges::any_of(topology.app.hosts,
                                         [&](const std::string& host) { return backs_up_archive(topology.app, host); });
  std::string out =
      fmt::format(kBuild, container.base_image, topology.app.data_dir, dumps ? fmt::format(" {}", kDumpPackage) : "");
  out += environment(topology);
  out += exposed(topology);
  out += fmt::format("VOLUME [{}]\nUSER 10001:10001\nSTOPSIGNAL SIGTERM\n",
                     quoted_text(topology.app.data_dir, Dollars::as_they_are));
  out += health_check(container);
  out += "ENTRYPOINT [\"/app/config-center\"]\nCMD [\"serve\"]\n";
  return out;
}

}  // namespace cc::deploy
