// Many edges in one process, for tests/bench/certificates.py: each has the agent's own client, an identity and a
// directory of its own, and a thread, as if it were a machine. There is no web server: what is on disk counts as
// served.
//
//   edges_peer URL FOLDER DIRECTORY EDGE...
//
// FOLDER holds ca.pem, EDGE.pem and EDGE.key; bundles go below DIRECTORY/EDGE. Each acknowledgment is a line on stdout,
// "EDGE TENANT UNIX-SECONDS", when its answer is there. Ends when stdin does.
#include "acme/edge/client/client.hpp"
#include "acme/edge/install.hpp"
#include "base/net/task.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

class Edge {
 public:
  Edge(std::string name, std::string const& url, std::string const& folder, std::string const& directory)
      : name_(std::move(name)),
        disk_(directory + "/" + name_),
        client_(loop_.get_executor(), settings(url, folder + "/" + name_, folder + "/ca.pem")),
        thread_([this] {
          net::spawn(loop_.get_executor(), name_, serve(this));
          loop_.run();
        }) {}
  ~Edge() {
    loop_.stop();
    thread_.join();
  }
  Edge(Edge const&) = delete;
  Edge& operator=(Edge const&) = delete;

 private:
  static edge::ClientSettings settings(std::string const& url, std::string const& files, std::string const& ca) {
    edge::ClientSettings out;
    out.navigators = {url};
    out.tls.ca_file = ca;
    out.tls.identity = net::Identity{files + ".pem", files + ".key"};
    return out;
  }

  static net::Task<void> serve(Edge* self) {
    bool applied = false;
    for (;;) {
      auto const news = co_await self->client_.follow(applied, applied);
      auto done = news ? co_await self->pass() : base::Result<void>(news.error());
      applied = done.has_value();
      if (!done) {
        std::fprintf(stderr, "%s: %s\n", self->name_.c_str(), done.error().what().c_str());
        co_await net::wait_for(std::chrono::milliseconds(200));
      }
    }
  }

  net::Task<base::Result<void>> pass() {
    auto const observed = disk_.observe();
    if (!observed) {
      co_return observed.error();
    }
    std::vector<edge::BundleItem> wanted;
    for (auto const& [id, item] : client_.items()) {
      wanted.push_back(item);
    }
    edge::Difference const difference = edge::difference(wanted, *observed);
    for (edge::BundleItem const& item : difference.fetch) {
      if (auto const taken = co_await take(item); !taken) {
        co_return taken;
      }
    }
    for (std::string const& id : difference.remove) {
      if (auto const removed = disk_.remove(id); !removed) {
        co_return removed;
      }
    }
    co_return base::Result<void>();
  }

  net::Task<base::Result<void>> take(edge::BundleItem item) {
    auto const bundle = co_await client_.fetch(item);
    if (!bundle) {
      co_return bundle.error();
    }
    if (auto const staged = disk_.stage(*bundle); !staged) {
      co_return staged;
    }
    if (auto const live = disk_.make_live(item.id, item.fingerprint); !live) {
      co_return live;
    }
    auto const told = co_await client_.acknowledge(item);
    if (told) {
      std::chrono::duration<double> const at = std::chrono::system_clock::now().time_since_epoch();
      std::printf("%s %s %.6f\n", name_.c_str(), item.tenant.c_str(), at.count());
      std::fflush(stdout);
    }
    co_return told;
  }

  std::string name_;
  boost::asio::io_context loop_;
  edge::Installation disk_;
  edge::Client client_;
  std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> const arguments(argv + 1, argv + argc);
  if (arguments.size() < 4) {
    std::fputs("edges_peer URL FOLDER DIRECTORY EDGE...\n", stderr);
    return 2;
  }
  std::vector<std::unique_ptr<Edge>> edges;
  for (std::size_t i = 3; i < arguments.size(); ++i) {
    edges.push_back(std::make_unique<Edge>(arguments[i], arguments[0], arguments[1], arguments[2]));
  }
  while (std::getchar() != EOF) {
  }
  return 0;
}
