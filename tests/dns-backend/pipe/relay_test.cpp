#include "dns-backend/pipe/relay.hpp"

#include "base/process/descriptors.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <future>
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using process::Descriptor;

char const* const lookup =
    "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"a.org.\",\"qtype\":\"ANY\",\"zone-id\":-1}}\n";
char const* const start =
    "{\"method\":\"startTransaction\",\"parameters\":{\"domain\":\"a.org.\",\"domain_id\":-1,\"trxid\":1}}\n";
char const* const commit = "{\"method\":\"commitTransaction\",\"parameters\":{\"trxid\":1}}\n";
char const* const answer = "{\"result\":[]}\n";

// Up to and with a newline; "" at the end.
std::string read_line(int descriptor) {
  std::string line;
  char next = 0;
  pollfd waiting{descriptor, POLLIN, 0};
  while (::poll(&waiting, 1, 10000) == 1 && ::read(descriptor, &next, 1) == 1) {
    line += next;
    if (next == '\n') {
      break;
    }
  }
  return line;
}

void write_text(int descriptor, std::string const& text) {
  if (::write(descriptor, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("write");
  }
}

// PowerDNS on one side, the daemon's socket on the other.
class Relaying : public testing::Test {
 protected:
  Relaying() {
    int ends[2];
    if (::pipe(ends) != 0) {
      throw std::runtime_error("pipe");
    }
    in = Descriptor(ends[0]);
    ask = Descriptor(ends[1]);
    if (::pipe(ends) != 0) {
      throw std::runtime_error("pipe");
    }
    hear = Descriptor(ends[0]);
    out = Descriptor(ends[1]);
    settings.socket = folder.file("remote.sock");
    settings.in = in.get();
    settings.out = out.get();
    settings.patience = 5000ms;
  }
  ~Relaying() override { EXPECT_EQ(end(), "ended"); }

  void begin() {
    running = std::async(std::launch::async, [this] { return pipe_connector::relay(settings); });
  }
  // How the relay ended, at the latest once its stdin does.
  std::string end() {
    ask = Descriptor();
    if (running.valid()) {
      auto const done = running.get();
      how = done ? "well" : done.error().what();
    }
    return "ended";
  }
  void listen() {
    ::unlink(settings.socket.c_str());
    listener = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(settings.socket.begin(), settings.socket.end(), address.sun_path);
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener.get(), 8), 0);
  }
  Descriptor accept() const { return Descriptor(::accept(listener.get(), nullptr, nullptr)); }

  test::TemporaryFolder folder;
  pipe_connector::RelaySettings settings;
  Descriptor in, ask, hear, out, listener;
  std::future<base::Result<void>> running;
  std::string how;
};

TEST_F(Relaying, CarriesRequestsAndRepliesAndEndsWithItsInput) {
  listen();
  begin();
  write_text(ask.get(), lookup);
  Descriptor const daemon = accept();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(read_line(daemon.get()), lookup);
    write_text(daemon.get(), answer);
    EXPECT_EQ(read_line(hear.get()), answer);
    write_text(ask.get(), lookup);
  }
  EXPECT_EQ(read_line(daemon.get()), lookup);
  write_text(daemon.get(), answer);
  end();
  EXPECT_EQ(how, "well");
}

TEST_F(Relaying, TheListOfZonesIsAskedForWhole) {
  listen();
  begin();
  write_text(ask.get(), "{\"method\":\"getAllDomains\",\"parameters\":{\"include_disabled\":true}}\n");
  Descriptor const daemon = accept();
  EXPECT_EQ(read_line(daemon.get()), "{\"method\":\"getAllDomains\",\"parameters\":{\"complete\":true}}\n");
  write_text(daemon.get(), answer);
  EXPECT_EQ(read_line(hear.get()), answer);
}

TEST_F(Relaying, AReadIsRepeatedWhenTheDaemonGoesAway) {
  listen();
  begin();
  write_text(ask.get(), lookup);
  Descriptor daemon = accept();
  EXPECT_EQ(read_line(daemon.get()), lookup);
  write_text(daemon.get(), "{\"result\":");  // half a reply is no reply
  listener = Descriptor();
  daemon = Descriptor();
  listen();
  daemon = accept();
  EXPECT_EQ(read_line(daemon.get()), lookup);
  write_text(daemon.get(), answer);
  EXPECT_EQ(read_line(hear.get()), answer);
}

TEST_F(Relaying, AWriteIsNotRepeated) {
  listen();
  begin();
  write_text(ask.get(), start);
  Descriptor daemon = accept();
  EXPECT_EQ(read_line(daemon.get()), start);
  daemon = Descriptor();
  EXPECT_FALSE(running.get()) << "PowerDNS must notice";
}

TEST_F(Relaying, NothingWithinATransactionIsRepeated) {
  listen();
  begin();
  write_text(ask.get(), start);
  Descriptor daemon = accept();
  EXPECT_EQ(read_line(daemon.get()), start);
  write_text(daemon.get(), "{\"result\":true}\n");
  EXPECT_EQ(read_line(hear.get()), "{\"result\":true}\n");
  write_text(ask.get(), lookup);
  EXPECT_EQ(read_line(daemon.get()), lookup);
  daemon = Descriptor();
  EXPECT_FALSE(running.get());
}

TEST_F(Relaying, AfterTheCommitReadsAreRepeatedAgain) {
  listen();
  begin();
  Descriptor daemon;
  for (char const* const request : {start, commit}) {
    write_text(ask.get(), request);
    if (!daemon.open()) {
      daemon = accept();
    }
    EXPECT_EQ(read_line(daemon.get()), request);
    write_text(daemon.get(), "{\"result\":true}\n");
    EXPECT_EQ(read_line(hear.get()), "{\"result\":true}\n");
  }
  daemon = Descriptor();
  write_text(ask.get(), lookup);
  daemon = accept();
  EXPECT_EQ(read_line(daemon.get()), lookup);
  write_text(daemon.get(), answer);
  EXPECT_EQ(read_line(hear.get()), answer);
}

TEST_F(Relaying, ADaemonThatNeverComesEndsIt) {
  settings.patience = 30ms;
  begin();
  write_text(ask.get(), lookup);
  auto const done = running.get();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what(), testing::HasSubstr("connecting to"));
}

TEST_F(Relaying, AReplyOfManyMegabytesPassesWhole) {
  listen();
  begin();
  write_text(ask.get(), lookup);
  Descriptor const daemon = accept();
  EXPECT_EQ(read_line(daemon.get()), lookup);
  std::string const large = "{\"result\":\"" + std::string(5U << 20U, 'x') + "\"}\n";
  auto writing = std::async(std::launch::async, [&] {
    for (std::size_t done = 0; done < large.size();) {
      done += static_cast<std::size_t>(::write(daemon.get(), large.data() + done, large.size() - done));
    }
  });
  std::string got(large.size(), '\0');
  for (std::size_t done = 0; done < got.size();) {
    ssize_t const count = ::read(hear.get(), got.data() + done, got.size() - done);
    ASSERT_GT(count, 0);
    done += static_cast<std::size_t>(count);
  }
  writing.get();
  EXPECT_EQ(got, large);
}

// One feedEnts names every empty non-terminal of a zone; nothing else may be so long.
TEST_F(Relaying, ARequestThatCarriesContentMayBeLong) {
  listen();
  begin();
  std::string const names(300000, 'x');
  std::string const feed = R"({"method":"feedEnts","parameters":{"domain_id":1,"nonterm":[")" + names + "\"]}}\n";
  auto const asking = std::async(std::launch::async, [&] { write_text(ask.get(), feed); });
  Descriptor const daemon = accept();
  EXPECT_EQ(read_line(daemon.get()), feed);
  write_text(daemon.get(), "{\"result\":true}\n");
  EXPECT_EQ(read_line(hear.get()), "{\"result\":true}\n");
}

TEST_F(Relaying, AnyOtherRequestWithoutEndEndsIt) {
  listen();
  begin();
  std::string const endless = R"({"method":"lookup","parameters":{"qname":")" + std::string(100000, 'x');
  auto const asking = std::async(std::launch::async, [&] { write_text(ask.get(), endless); });
  auto const done = running.get();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what(), testing::HasSubstr("without end"));
}

}  // namespace
