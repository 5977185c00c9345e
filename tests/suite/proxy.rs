//! A bad network: a TCP proxy on loopback between the program and a server, with weather that a test chooses.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// What happens to what the server says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weather {
    /// It goes through.
    Clear,
    /// Every connection is broken, and new ones are broken at once.
    Cut,
    /// Every second packet is held back for so long.
    Stalls(Duration),
    /// Nothing goes through any more, and nobody is told.
    Silent,
    /// A trickle: a few bytes, a pause, a few bytes.
    Slow,
}

/// Bytes of a packet.
const PACKET: usize = 16 * 1024;

/// A proxy; ends with the value.
pub(crate) struct Proxy {
    address: SocketAddr,
    sky: Arc<Sky>,
}

struct Sky {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    weather: Weather,
    /// Weather that comes once so many bytes of the server have gone through.
    forecast: Option<(u64, Weather)>,
    passed: u64,
    packets: u64,
    over: bool,
    connections: Vec<TcpStream>,
}

impl Proxy {
    /// A proxy before a port of this machine, in clear weather.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = State {
            weather: Weather::Clear,
            forecast: None,
            passed: 0,
            packets: 0,
            over: false,
            connections: Vec::new(),
        };
        let sky = Arc::new(Sky { state: Mutex::new(state), changed: Condvar::new() });
        let for_thread = Arc::clone(&sky);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if for_thread.state().over {
                    break;
                }
                for_thread.join(client, port);
            }
        });
        Self { address, sky }
    }

    /// Where to connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather now.
    pub(crate) fn change(&self, weather: Weather) {
        self.sky.change(&mut self.sky.state(), weather);
    }

    /// Changes the weather once so many more bytes of the server have gone through.
    pub(crate) fn change_after(&self, bytes: u64, weather: Weather) {
        let mut state = self.sky.state();
        state.forecast = Some((state.passed + bytes, weather));
    }

    /// Waits until the weather is what was foretold.
    pub(crate) fn wait_for(&self, weather: Weather) {
        let state = self.sky.state();
        drop(self.sky.changed.wait_while(state, |state| state.weather != weather).expect("no thread panicked"));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.sky.state().over = true;
        self.change(Weather::Cut);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Sky {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panicked")
    }

    fn change(&self, state: &mut State, weather: Weather) {
        state.weather = weather;
        if weather == Weather::Cut {
            for connection in state.connections.drain(..) {
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
        self.changed.notify_all();
    }

    /// Joins a client and the server.
    fn join(self: &Arc<Self>, client: TcpStream, port: u16) {
        if self.state().weather == Weather::Cut {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
        let clone = |stream: &TcpStream| stream.try_clone().expect("a second handle");
        self.state().connections.extend([clone(&client), clone(&server)]);
        let (mut from_client, mut to_server) = (clone(&client), clone(&server));
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Both);
        });
        let sky = Arc::clone(self);
        std::thread::spawn(move || {
            sky.pass_on(server, &client);
            let _ = client.shutdown(Shutdown::Both);
        });
    }

    fn pass_on(&self, mut server: TcpStream, mut client: &TcpStream) {
        let mut packet = [0; PACKET];
        while let Ok(size @ 1..) = server.read(&mut packet) {
            if !self.let_through(size) || client.write_all(&packet[..size]).is_err() {
                break;
            }
        }
    }

    /// Holds a packet back as the weather wants; says no when the connection is over.
    fn let_through(&self, size: usize) -> bool {
        let mut state = self.state();
        state.packets += 1;
        state.passed += size as u64;
        let passed = state.passed;
        if let Some((_, weather)) = state.forecast.take_if(|(at, _)| passed >= *at) {
            self.change(&mut state, weather);
        }
        let pause = match state.weather {
            Weather::Clear => return true,
            Weather::Cut => return false,
            Weather::Stalls(pause) if state.packets.is_multiple_of(2) => pause,
            Weather::Stalls(_) => return true,
            Weather::Slow => Duration::from_millis(500),
            // Longer than any test.
            Weather::Silent => Duration::from_secs(3600),
        };
        let weather = state.weather;
        let goes_on = |state: &mut State| state.weather == weather && !state.over;
        state = self.changed.wait_timeout_while(state, pause, goes_on).expect("no thread panicked").0;
        state.weather != Weather::Cut && !state.over
    }
}
