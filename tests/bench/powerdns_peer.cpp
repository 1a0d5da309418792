// Both ends of PowerDNS's remote backend protocol, for tests/bench/powerdns.
//
//   powerdns_peer backend SOCKET          a backend that does nothing but frame: what the connector can carry at most
//   powerdns_peer calls SOCKET FILE N     N lookups of the names in FILE over one connection; JSON with latencies
//
// The do-nothing backend serves one zone, bench.test, without data: names that begin with "h" have an address, others
// do not exist. A thread a connection, blocking reads: nothing is faster when there is one request in flight.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::string_view apex = "bench.test.";

[[noreturn]] void give_up(std::string const& what) {
  std::perror(("powerdns_peer: " + what).c_str());
  std::exit(1);
}

sockaddr_un address_of(std::string const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    give_up(path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// One connection that speaks lines.
class Line {
 public:
  explicit Line(int descriptor) : descriptor_(descriptor) {}
  ~Line() { close(descriptor_); }
  Line(Line const&) = delete;
  Line& operator=(Line const&) = delete;

  // Without its newline; empty at the end of the stream. Valid until the next call.
  std::string_view read() {
    buffer_.erase(0, taken_);
    taken_ = 0;
    while (true) {
      std::size_t const end = buffer_.find('\n');
      if (end != std::string::npos) {
        taken_ = end + 1;
        return std::string_view(buffer_).substr(0, end);
      }
      std::array<char, 65536> piece;
      ssize_t const got = ::read(descriptor_, piece.data(), piece.size());
      if (got <= 0) {
        return {};
      }
      buffer_.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

  bool write(std::string_view text) const {
    while (!text.empty()) {
      ssize_t const put = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      if (put <= 0) {
        return false;
      }
      text.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }

 private:
  int descriptor_;
  std::string buffer_;
  std::size_t taken_ = 0;
};

// The value of "key" in the one form PowerDNS writes.
std::string_view value_of(std::string_view line, std::string_view key) {
  std::size_t const at = line.find(key);
  if (at == std::string_view::npos) {
    return {};
  }
  line.remove_prefix(at + key.size());
  return line.substr(0, line.find('"'));
}

void reply_to(std::string_view line, std::string& out) {
  constexpr std::string_view domain = R"({"id":1,"zone":"bench.test.","kind":"native","serial":1})";
  out.clear();
  std::string_view const method = value_of(line, R"("method": ")");
  if (method == "lookup") {
    std::string_view const qname = value_of(line, R"("qname": ")");
    out += R"({"result":[)";
    if (qname == apex) {
      out += R"({"qname":"bench.test.","qtype":"SOA","content":"ns1.bench.test. hostmaster.bench.test. 1 10800 3600 )"
             R"(604800 300","ttl":3600,"domain_id":1,"auth":1},{"qname":"bench.test.","qtype":"NS","content":)"
             R"("ns1.bench.test.","ttl":3600,"domain_id":1,"auth":1})";
    } else if (qname.starts_with('h')) {
      out += R"({"qname":")";
      out += qname;
      out += R"(","qtype":"A","content":"192.0.2.1","ttl":3600,"domain_id":1,"auth":1})";
    }
    out += "]}\n";
  } else if (method == "getAllDomains") {
    out.append(R"({"result":[)").append(domain).append("]}\n");
  } else if (method == "getDomainInfo") {
    out.append(R"({"result":)").append(domain).append("}\n");
  } else if (method == "getAllDomainMetadata") {
    out += "{\"result\":{}}\n";
  } else if (method == "initialize") {
    out += "{\"result\":true}\n";
  } else if (method == "getDomainKeys" || method == "getDomainMetadata") {
    out += "{\"result\":[]}\n";
  } else {
    out += "{\"result\":false}\n";
  }
}

void serve(int descriptor) {
  Line line(descriptor);
  std::string out;
  for (std::string_view request = line.read(); !request.empty(); request = line.read()) {
    reply_to(request, out);
    if (!line.write(out)) {
      return;
    }
  }
}

int backend(std::string const& path) {
  unlink(path.c_str());
  int const listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un const address = address_of(path);
  constexpr int backlog = 64;
  if (listening < 0 || bind(listening, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0 ||
      listen(listening, backlog) != 0) {
    give_up(path);
  }
  while (true) {
    int const descriptor = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) {
      give_up("accept");
    }
    std::thread(serve, descriptor).detach();
  }
}

std::string lookup_of(std::string const& name) {
  return R"({"method": "lookup", "parameters": {"local": "127.0.0.1", "qname": ")" + name +
         R"(", "qtype": "ANY", "real-remote": "127.0.0.1/32", "remote": "127.0.0.1", "zone-id": -1}})" + "\n";
}

// Microseconds from the first octet written to the whole reply read.
int calls(std::string const& path, std::string const& file, std::size_t count) {
  std::vector<std::string> lookups;
  std::ifstream stream(file);
  for (std::string name; std::getline(stream, name);) {
    lookups.push_back(lookup_of(name));
  }
  int const descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un const address = address_of(path);
  if (lookups.empty() || descriptor < 0 ||
      connect(descriptor, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
    give_up(path);
  }
  Line line(descriptor);
  line.write("{\"method\": \"initialize\", \"parameters\": {\"path\": \"" + path + "\"}}\n");
  if (line.read().empty()) {
    give_up("initialize");
  }
  std::vector<double> microseconds;
  microseconds.reserve(count);
  std::size_t empty = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto const begin = std::chrono::steady_clock::now();
    line.write(lookups[i % lookups.size()]);
    std::string_view const reply = line.read();
    std::chrono::duration<double, std::micro> const took = std::chrono::steady_clock::now() - begin;
    if (reply.empty()) {
      give_up("lookup");
    }
    empty += reply == "{\"result\":[]}" ? 1U : 0U;
    microseconds.push_back(took.count());
  }
  std::sort(microseconds.begin(), microseconds.end());
  auto const at = [&](double part) { return microseconds[static_cast<std::size_t>(part * double(count - 1))]; };
  std::printf(
      "{\"calls\":%zu,\"empty\":%zu,\"p50_us\":%.2f,\"p90_us\":%.2f,\"p99_us\":%.2f,\"p999_us\":%.2f,\"max_us\":%.2f}"
      "\n",
      count, empty, at(0.5), at(0.9), at(0.99), at(0.999), at(1.0));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> const words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "backend") {
    return backend(words[1]);
  }
  if (words.size() == 4 && words[0] == "calls" && std::stoul(words[3]) > 0) {
    return calls(words[1], words[2], std::stoul(words[3]));
  }
  std::cerr << "usage: powerdns_peer backend SOCKET | calls SOCKET FILE COUNT\n";
  return 2;
}
