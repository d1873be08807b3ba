/** The connections that queries of other layers run on. Only this layer makes them, and knows the driver. */
export type { Client, ClientBase } from 'pg';
