//! `kurrent-stand-in [ADDRESS]…`: nodes on these addresses until the process is killed. For load tests; it keeps nothing.

use std::net::SocketAddr;

use kurrent_stand_in::StandIn;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut addresses = Vec::new();
    for argument in std::env::args().skip(1) {
        addresses.push(argument.parse::<SocketAddr>()?);
    }
    if addresses.is_empty() {
        addresses.push(SocketAddr::from(([127, 0, 0, 1], 0)));
    }
    let stand_in = StandIn::listen(&addresses).await?;
    println!("{}", stand_in.url());
    std::future::pending().await
}
