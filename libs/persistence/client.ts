/** The connections on which other layers run their queries. Only this layer creates them and depends on the driver. */
export type { Client, ClientBase } from 'pg';
