"""What tests of the whole product share: a scripted shop, a fake vendor, a real proxy process, raw sockets."""
