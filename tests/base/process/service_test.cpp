#include "base/process/service.hpp"

#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>
#include <string>

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

unsigned mode_of(std::string const& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 07777U;
}

TEST(Files, AnAtomicWriteReplacesContentAndSetsTheExactMode) {
  test::TemporaryFolder const folder;
  auto const path = folder.file("key");
  mode_t const before = ::umask(0);
  ASSERT_TRUE(process::write_file_atomically(path, "one", 0600));
  EXPECT_EQ(mode_of(path), 0600U);
  ::umask(077);
  ASSERT_TRUE(process::write_file_atomically(path, "two", 0644));
  ::umask(before);
  EXPECT_EQ(mode_of(path), 0644U);
  EXPECT_EQ(process::read_file(path).value(), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "no temporary file stays";
}

TEST(Files, AFailedWriteLeavesTheOldContentAndNoTemporaryFile) {
  test::TemporaryFolder const folder;
  ASSERT_EQ(::mkdir(folder.file("taken").c_str(), 0700), 0);
  EXPECT_FALSE(process::write_file_atomically(folder.file("taken"), "x", 0600)) << "a folder is in the way";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  auto const missing = process::write_file_atomically(folder.file("no/such/file"), "x", 0600);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, boost::system::errc::no_such_file_or_directory);
  EXPECT_THAT(missing.error().what(), HasSubstr("no/such/file"));
}

TEST(Files, ReadingReportsAMissingFileAndOneAboveTheLimit) {
  test::TemporaryFolder const folder;
  auto const path = folder.file("f");
  EXPECT_EQ(process::read_file(path).error().code, boost::system::errc::no_such_file_or_directory);
  ASSERT_TRUE(process::write_file_atomically(path, std::string(200'000, 'x'), 0600));
  EXPECT_EQ(process::read_file(path, 200'000).value().size(), 200'000U);
  EXPECT_EQ(process::read_file(path, 199'999).error().code, process::errc::too_large);
}

TEST(LockFile, NamesTheHolderAndIsFreeAfterRelease) {
  test::TemporaryFolder const folder;
  auto const path = folder.file("lock");
  {
    auto held = process::LockFile::acquire(path);
    ASSERT_TRUE(held);
    auto const second = process::LockFile::acquire(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, process::errc::locked);
    EXPECT_THAT(second.error().what(), HasSubstr("process " + std::to_string(::getpid())));
    process::LockFile moved = std::move(*held);
    EXPECT_FALSE(process::LockFile::acquire(path)) << "a moved lock is still held";
  }
  EXPECT_TRUE(process::LockFile::acquire(path));
}

TEST(RunChild, YieldsOutputOfBothStreamsAndTheExitCode) {
  boost::asio::io_context loop;
  auto const result = test::run_task(loop, process::run_child({"sh", "-c", "echo out; echo err >&2; exit 3"}, 10s));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_THAT(result->output, HasSubstr("out\n"));
  EXPECT_THAT(result->output, HasSubstr("err\n"));
}

TEST(RunChild, PassesArgumentsWithoutAShell) {
  boost::asio::io_context loop;
  auto const result = test::run_task(loop, process::run_child({"printf", "%s|%s", "$HOME; rm x", "a b"}, 10s));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "$HOME; rm x|a b");
}

TEST(RunChild, ReportsAProgramThatDoesNotExist) {
  boost::asio::io_context loop;
  auto const result = test::run_task(loop, process::run_child({"/no/such/program"}, 10s));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, boost::system::errc::no_such_file_or_directory);
}

TEST(RunChild, KillsAtTheDeadlineWithTheWholeGroup) {
  test::TemporaryFolder const folder;
  boost::asio::io_context loop;
  auto const script = "sleep 600 & echo $! > " + folder.file("pid") + "; wait";
  auto const result = test::run_task(loop, process::run_child({"sh", "-c", script}, 500ms));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, process::errc::timed_out);
  auto const pid = std::stoi(process::read_file(folder.file("pid")).value());
  auto const handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (handle >= 0) {  // else it is gone already
    pollfd ended{handle, POLLIN, 0};
    EXPECT_EQ(::poll(&ended, 1, 10'000), 1) << "the grandchild lives on";
    ::close(handle);
  }
}

TEST(RunChild, BoundsTheOutputAndIsNotHeldUpByAGrandchild) {
  boost::asio::io_context loop;
  auto const flood = test::run_task(loop, process::run_child({"sh", "-c", "head -c 1000000 /dev/zero; exit 0"}, 20s));
  ASSERT_TRUE(flood);
  EXPECT_EQ(flood->exit_code, 0);
  EXPECT_EQ(flood->output.size(), 256U << 10U);
  auto const left = test::run_task(loop, process::run_child({"sh", "-c", "sleep 3 & echo done"}, 2s));
  ASSERT_TRUE(left) << "the deadline is before the grandchild's end";
  EXPECT_EQ(left->output, "done\n");
}

TEST(RunChild, ReportsASignalAs128Plus) {
  boost::asio::io_context loop;
  auto const result = test::run_task(loop, process::run_child({"sh", "-c", "kill -9 $$"}, 10s));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 128 + SIGKILL);
}

TEST(RunChild, InheritsNoDescriptorButTheThreeStandardOnes) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  boost::asio::io_context loop;
  auto const result = test::run_task(loop, process::run_child({"ls", "/proc/self/fd"}, 10s));
  ::close(ends[0]);
  ::close(ends[1]);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "0\n1\n2\n3\n") << "3 is the folder that ls reads";
}

TEST(StartDetached, StartsAProcessThatIsNotOurChildAndLogsToTheFile) {
  test::TemporaryFolder const folder;
  auto const fifo = folder.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  auto const log = folder.file("log");
  auto const script = "echo started; ls /proc/self/fd > " + folder.file("fds") + "; echo $$ > " + fifo;
  auto const pid = process::start_detached({"sh", "-c", script}, log);
  ASSERT_TRUE(pid) << pid.error().what();
  // Opening the fifo waits until the process writes to it.
  EXPECT_EQ(process::read_file(fifo).value(), std::to_string(*pid) + "\n");
  EXPECT_EQ(process::read_file(log).value(), "started\n");
  EXPECT_EQ(process::read_file(folder.file("fds")).value(), "0\n1\n2\n3\n");
  EXPECT_EQ(::waitpid(*pid, nullptr, WNOHANG), -1) << "not a child of this process";
}

TEST(StartDetached, ReportsAProgramThatCannotBeExecuted) {
  test::TemporaryFolder const folder;
  auto const pid = process::start_detached({"/no/such/program"}, folder.file("log"));
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error().code, boost::system::errc::no_such_file_or_directory);
}

TEST(Signals, YieldsTheSignalThatCame) {
  boost::asio::io_context loop;
  boost::asio::post(loop, [] { ::raise(SIGHUP); });
  // The wait is spawned after the post above was queued, so the first raise must not come before it is ready.
  std::optional<int> number;
  boost::asio::io_context second;
  boost::asio::co_spawn(second, process::wait_for_signal(), [&](std::exception_ptr, int value) { number = value; });
  second.poll();
  loop.run();
  second.restart();
  second.run();
  EXPECT_EQ(number, SIGHUP);
}

TEST(Signals, NoneIsMissedBetweenTwoWaits) {
  boost::asio::io_context loop;
  process::Signals signals(loop.get_executor());
  ::raise(SIGHUP);  // nobody waits
  std::vector<int> numbers;
  for (int const next : {SIGTERM, 0}) {
    boost::asio::co_spawn(loop, signals.next(), [&](std::exception_ptr, int value) { numbers.push_back(value); });
    loop.restart();
    loop.run();
    if (next != 0) {
      ::raise(next);
    }
  }
  EXPECT_EQ(numbers, (std::vector<int>{SIGHUP, SIGTERM}));
}

TEST(ServiceManager, SendsTheStateToTheNotifySocket) {
  test::TemporaryFolder const folder;
  auto const path = folder.file("notify");
  int const fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  process::notify_service_manager("READY=1");
  ::unsetenv("NOTIFY_SOCKET");
  std::array<char, 64> text{};
  ssize_t const size = ::recv(fd, text.data(), text.size(), MSG_DONTWAIT);
  ::close(fd);
  EXPECT_EQ(std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))), "READY=1");
  process::notify_service_manager("STOPPING=1");
}

}  // namespace
