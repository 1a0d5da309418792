// One lookup loop: a thread, and the Sessions that belong to it.
//
// Threads: constructed, called and destroyed on the control loop's thread; the sessions live on the loop's.
#pragma once

#include "base/process/descriptors.hpp"
#include "dns-backend/connector/session.hpp"
#include "dns-backend/handover/sockets.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <set>
#include <thread>

namespace connector {

handover::SocketKind connection_kind(Framing framing);

class LookupLoop {
 public:
  // A session that ended: the socket it left, if it did. Called on the loop's thread.
  using Ended = std::function<void(handover::OpenSocket)>;

  explicit LookupLoop(Serving serving);
  ~LookupLoop();  // stop() and join()
  LookupLoop(LookupLoop const&) = delete;
  LookupLoop& operator=(LookupLoop const&) = delete;

  void adopt(process::Descriptor socket, Framing framing, Ended ended);
  // Tells its sessions to leave, and those to come; or to stay.
  void tell(bool leave);
  void close_sessions();
  // Closes every session; the thread ends when they have. A write in the store's hands is waited for, because its
  // completion comes back to this loop.
  void stop();
  void join();

 private:
  static net::Task<void> serve(LookupLoop& loop, std::shared_ptr<Session> session, handover::SocketKind kind,
                               Ended ended);
  void take(process::Descriptor socket, Framing framing, Ended const& ended);

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;

  // The loop's own.
  Serving serving_;
  std::set<std::shared_ptr<Session>> sessions_;
  bool leaving_ = false;
};

}  // namespace connector
