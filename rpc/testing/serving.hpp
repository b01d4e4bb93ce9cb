#pragma once

// A server on a small chain, for tests of what it speaks.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "rpc/http.hpp"
#include "rpc/testing/small_store.hpp"

namespace keel::rpc {

inline const std::string kCall = R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"})";
inline const std::string kAnswer = R"({"jsonrpc":"2.0","id":1,"result":"0x2"})";

class Serving : public testing::Test {
  protected:
    /// `namespaces` none: those of `dispatcher`.
    uint16_t serve(ListenerOptions options = {}, ServerOptions server_options = {},
                   const std::vector<std::string>& namespaces = {}) {
        options.port = 0;
        if (!namespaces.empty()) other_dispatcher.emplace(store.backend, namespaces, limits);
        options.dispatcher = other_dispatcher ? &*other_dispatcher : &dispatcher;
        server = std::make_unique<HttpServer>(std::move(server_options));
        const uint16_t port = server->listen(std::move(options));
        server->start();
        return port;
    }

    SmallStore store;
    Dispatcher dispatcher{store.backend, {"eth", "net", "web3"}, {}};
    DispatchLimits limits;
    std::optional<Dispatcher> other_dispatcher;
    std::unique_ptr<HttpServer> server;
};

}  // namespace keel::rpc
