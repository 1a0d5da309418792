// One unix connection of PowerDNS on a thread of its own, which waits for it in recv(2): a line in, a line out.
//
// PowerDNS has one request in flight on a connection, so that nothing is won by a loop that watches many of them, and a
// thread that blocks needs two system calls a request where a loop needs four. How many there may be is the Listener's
// matter; connections beyond that are Sessions of its loops.
//
// The deadlines are a Session's: idle for ever, 10 s for a request begun, 10 s for a reply to be taken. So is leaving:
// it ends between two requests, outside a transaction, with its socket open and every octet PowerDNS sent answered.
//
// A thread that blocks is woken by a signal (SIGURG, whose default is to be ignored), which takes nothing from the
// socket. One that comes a moment before the thread blocks is lost, so whoever calls leave() calls it again until the
// session ended.
//
// Threads: an object belongs to the control loop, which calls everything here; the thread inside owns the conversation.
// What crosses: two flags, the signal, and the shutdown of the socket.
#pragma once

#include "base/process/descriptors.hpp"
#include "dns-backend/conversation/conversation.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pthread.h>

namespace connector {

class LineSession {
 public:
  // Makes the signal harmless; to be called before the first start().
  static base::Result<void> prepare_process();
  // `ended` is called once, on the session's thread, as the last thing it does. The error: no thread can be had.
  static base::Result<std::unique_ptr<LineSession>> start(process::Descriptor socket, Serving serving,
                                                          std::function<void()> ended);
  ~LineSession();  // close(), and waits for the thread
  LineSession(LineSession const&) = delete;
  LineSession& operator=(LineSession const&) = delete;

  void leave();
  void close();
  // To be called after `ended`: the socket if the session left, otherwise none.
  process::Descriptor take_socket();

 private:
  LineSession(process::Descriptor socket, Serving serving, std::function<void()> ended);
  static void* main(void* self);
  void run();
  base::Result<void> serve();
  // At least one octet more, or nothing because somebody calls.
  base::Result<void> receive();
  base::Result<bool> wait(short events, std::chrono::steady_clock::time_point deadline) const;
  base::Result<void> reply(std::string_view request);
  base::Result<void> send();
  void end_of_request(std::size_t octets);
  void join();

  process::Descriptor socket_;
  std::function<void()> ended_;
  pthread_t thread_{};
  bool joined_ = true;
  std::atomic<bool> leaving_{false};

  // From here on the thread's own.
  Serving serving_;
  Conversation conversation_;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;                                            // of the buffer
  std::optional<std::chrono::steady_clock::time_point> request_end_;  // by which one that came in part must be there
  std::string out_;
  std::optional<boost::asio::io_context> writes_;  // while a write or a transaction is open
  bool left_ = false;                              // read by the owner once the thread ended
};

}  // namespace connector
