#include "rpc/ipc.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "core/fault.hpp"
#include "core/files.hpp"
#include "rpc/json_splitter.hpp"
#include "rpc/peer.hpp"

namespace keel::rpc {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

class IpcPeer final : public Peer {
  public:
    IpcPeer(Shared& shared, IoThread& io, const IpcOptions& options, LocalSocket socket,
            ConnectionSlot slot)
        : Peer(shared, io, *options.dispatcher, std::move(slot)),
          bytes_max_(options.message_bytes_max),
          socket_(std::move(socket)) {}

    void start() {
        io_.add(shared_from_this());
        begin();
    }

  private:
    std::shared_ptr<IpcPeer> self() {
        return std::static_pointer_cast<IpcPeer>(shared_from_this());
    }
    void read() override {
        if (!next_message()) {
            read_some();
            return;
        }
        asio::post(io_.context, [self = self()] { self->received(self->message_); });
    }
    /// Takes a message out of what has come.
    bool next_message() {
        const size_t bytes = splitter_.find_end(received_);
        if (bytes == 0) return false;
        message_.reserve(bytes + kJsonPadding);
        message_.assign(received_, 0, bytes);
        received_.erase(0, bytes);
        return true;
    }
    void read_some() {
        const size_t before = received_.size();
        if (before > bytes_max_) {
            close();
            return;
        }
        received_.resize(before + kPieceBytes);
        socket_.async_read_some(asio::buffer(received_.data() + before, kPieceBytes),
                                [self = self(), before](const ErrorCode& error, size_t bytes) {
                                    self->received_.resize(before + bytes);
                                    if (error) {
                                        // Whoever sends no more may still want its answers.
                                        self->input_ended();
                                    } else if (self->next_message()) {
                                        self->received(self->message_);
                                    } else if (!self->is_closed()) {
                                        self->read_some();
                                    }
                                });
    }
    void write(const Buffers& message) override {
        const std::array<asio::const_buffer, 4> line = {message[0], message[1], message[2],
                                                        asio::const_buffer("\n", 1)};
        asio::async_write(socket_, line, [self = self()](const ErrorCode& error, size_t) {
            if (error) self->close();
            self->written();
        });
    }
    void write_part(asio::const_buffer part, bool is_last) override {
        const std::array<asio::const_buffer, 2> line = {part,
                                                        asio::const_buffer("\n", is_last ? 1 : 0)};
        asio::async_write(socket_, line, [self = self()](const ErrorCode& error, size_t) {
            if (error) self->close();
            self->written();
        });
    }
    void say_goodbye(Reason) override { close(); }
    void close_socket() override {
        ErrorCode ignored;
        socket_.close(ignored);
    }

    const size_t bytes_max_;
    LocalSocket socket_;
    std::string received_;
    std::string message_;
    JsonSplitter splitter_;
};

/// Whether somebody accepts connections there.
bool is_listened_at(asio::io_context& context, const std::string& path) {
    LocalSocket probe(context);
    ErrorCode error;
    probe.connect(Local::endpoint(path), error);
    return !error;
}

}  // namespace

IpcListener::IpcListener(asio::io_context& context, IpcOptions options)
    : options_(std::move(options)), acceptor_(context), retry_(context) {
    const std::string& path = options_.path;
    const auto refuse = [&path](const std::string& why) {
        return core::Fault(core::FaultKind::Failed,
                           fmt::format("cannot listen on {}: {}; choose another with --ipcpath, or "
                                       "none with --ipcdisable",
                                       path, why));
    };
    if (path.size() > kIpcPathMax) {
        throw refuse(fmt::format("longer than {} bytes", kIpcPathMax));
    }
    std::error_code unknown;
    if (std::filesystem::is_socket(path, unknown)) {
        if (is_listened_at(context, path)) throw refuse("somebody listens there");
        core::SystemFiles files;
        core::remove_file(files, path);
    }
    ErrorCode error;
    acceptor_.open(Local(), error);
    if (!error) acceptor_.bind(Local::endpoint(path), error);
    if (error) throw refuse(error.message());
    is_open_ = true;
    // Nobody can connect before listen().
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, unknown);
    if (unknown) throw refuse(unknown.message());
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) throw refuse(error.message());
}

IpcListener::~IpcListener() {
    close();
}

void IpcListener::close() {
    if (!is_open_) return;
    is_open_ = false;
    ErrorCode ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    std::error_code gone;
    std::filesystem::remove(options_.path, gone);
}

void serve_ipc(Shared& shared, IoThread& io, const IpcOptions& options, LocalSocket socket,
               ConnectionSlot slot) {
    const auto peer =
        std::make_shared<IpcPeer>(shared, io, options, std::move(socket), std::move(slot));
    peer->start();
}

}  // namespace keel::rpc
