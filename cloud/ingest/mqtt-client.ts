/** The MQTT library; the only file of this folder that imports it. */
export { default as mqtt, type IClientOptions, type MqttClient } from 'mqtt';
